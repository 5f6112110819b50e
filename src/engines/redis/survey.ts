import type { Counts } from '../../domain/manifest.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Survey } from '../engine.ts';
import { createClient, type RedisClient } from './client.ts';
import { countServer } from './counts.ts';
import { numberIn } from './info.ts';
import type { RedisOptions } from './options.ts';
import { identityOf, isShared, placeOf } from './place.ts';
import { describeServer, type Server } from './server.ts';

/** What `dump` and `review` need of the survey beyond the contract. */
export interface RedisNotes {
  readonly client: RedisClient;
  readonly server: Server;
  /** What the server held before the dump. */
  readonly counts: Counts;
}

/** Name, kind and extension of the one artifact. */
export const rdb = { name: 'dump', kind: 'rdb', extension: 'rdb' } as const;

export async function survey(shell: Shell, options: RedisOptions, signal: AbortSignal): Promise<Survey> {
  const client = await createClient(shell, options, signal);
  const server = await describeServer(client, options, signal);
  const notes: RedisNotes = { client, server, counts: await countServer(client, signal) };
  return {
    product: server.product,
    version: server.version,
    identity: identityOf(shell.container, server.layout.folder),
    tool: { name: client.tool.split('/').at(-1) ?? client.tool, version: await toolVersion(client, signal) },
    items: [{ name: rdb.name, kind: rdb.kind, bytes: dataBytes(server) }],
    left: [],
    warnings: warningsOf(shell, server),
    consistency: 'all databases at one moment',
    notes,
  };
}

/** `redis-cli 8.0.2` → `8.0.2` */
async function toolVersion(client: RedisClient, signal: AbortSignal): Promise<string> {
  const printed = await client.shell.text({ argv: [client.tool, '--version'] }, signal);
  return /(\d+(?:\.\d+)*)/.exec(printed)?.[1] ?? printed.trim();
}

/** In an empty server the number may run below zero, which then shows as a gigantic one. */
function dataBytes({ info }: Server): number | undefined {
  const bytes = numberIn(info, 'used_memory_dataset');
  const all = numberIn(info, 'used_memory');
  return bytes !== undefined && all !== undefined && bytes <= all ? bytes : undefined;
}

function warningsOf(shell: Shell, server: Server): string[] {
  const { info, layout, users } = server;
  const warnings: string[] = [];
  const others = users.filter((user) => user !== 'default');
  if (others.length > 0) {
    warnings.push(
      `${others.length} ACL user${others.length > 1 ? 's' : ''} beside the default (${others.slice(0, 5).join(', ')}): ` +
        'users and redis.conf are not in an RDB, keep them in your stack',
    );
  }
  if (info.get('role') === 'slave') {
    const isLinked = info.get('master_link_status') === 'up';
    warnings.push(`the server is a replica${isLinked ? '' : ' without a link to its primary'}: it may be behind`);
  }
  if (numberIn(info, 'cluster_enabled') === 1) {
    warnings.push('the server is a node of a cluster: this backup holds its slots only');
  }
  if (server.isInMemory) {
    warnings.push(`its folder ${layout.folder} is in memory: its data goes when the container stops`);
  } else if (!isShared(placeOf(shell.container, layout.folder))) {
    warnings.push(`its folder ${layout.folder} is on no volume: its data goes when the container is recreated`);
  }
  return warnings;
}
