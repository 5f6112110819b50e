import type { Shell } from '../../domain/shell.ts';
import { createClient, type RedisClient } from './client.ts';
import type { RdbFacts } from './facts.ts';
import type { RedisOptions } from './options.ts';
import { describeServer, type Layout, type Server } from './server.ts';

/** What a restore meets: a running server that can be asked, or a container that does not run. */
export interface Present {
  readonly layout: Layout;
  readonly live?: { readonly client: RedisClient; readonly server: Server };
}

/**
 * Asks the server there. One that does not run, perhaps because its data is broken, is taken to keep its data as the one
 * that was backed up did.
 */
export async function meet(
  shell: Shell,
  options: RedisOptions,
  facts: RdbFacts,
  signal: AbortSignal,
): Promise<Present> {
  if (shell.container.state !== 'running') {
    return { layout: { ...facts.layout, folder: options['data-dir'] ?? facts.layout.folder } };
  }
  const client = await createClient(shell, options, signal);
  const server = await describeServer(client, options, signal);
  return { layout: server.layout, live: { client, server } };
}
