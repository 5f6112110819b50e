import type { Counts } from '../../domain/manifest.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Dump, DumpPolicy, Survey, SurveyItem } from '../engine.ts';
import { whyNotReached } from '../reach.ts';
import type { PostgresClient, PostgresConnection } from './client.ts';
import { countObjects, countRows } from './counts.ts';
import { databaseShape } from './shape.ts';
import type { PostgresNotes } from './survey.ts';

/** `auto` counts rows exactly in databases up to this size, and for at most this long. */
const exactLimit = { bytes: 2 * 1024 ** 3, ms: 120_000 };

/** Globals first, then each database at a snapshot of its own (PostgreSQL's snapshots do not cross databases). */
export async function* dump(
  _shell: Shell,
  survey: Survey,
  policy: DumpPolicy,
  signal: AbortSignal,
): AsyncGenerator<Dump> {
  const { client, isSuperuser } = survey.notes as PostgresNotes;
  const probe = ['psql', '-X', '-A', '-t', '-w', '-c', 'SELECT system_identifier FROM pg_control_system()'] as const;
  let asked: Promise<string | undefined> | undefined;
  const whyNot = (name: string) => (abort: AbortSignal) =>
    (asked ??= whyNotReached(client.shell, client.nearby(probe, name), survey.identity, abort));
  // Starting a helper takes as long as the dump of the globals: both at once.
  const large = survey.items.find((item) => item.kind === 'database' && isLarge(item, policy));
  if (large) whyNot(large.name)(signal).catch(() => {}); // Asked again before the first dump that could come this way.
  try {
    for (const item of survey.items) {
      if (item.kind === 'globals') yield globals(client, isSuperuser);
      else yield* database(client, item.name, rowLimit(policy, item.bytes), whyNot(item.name), signal);
    }
  } finally {
    await asked?.catch(() => {}); // Nothing of ours is left running.
  }
}

function isLarge({ bytes }: SurveyItem, { pipeFromBytes }: DumpPolicy): boolean {
  return pipeFromBytes !== undefined && (bytes === undefined || bytes >= pipeFromBytes);
}

function globals(client: PostgresClient, isSuperuser: boolean): Dump {
  // Only a superuser may read role passwords; without them the dump would fail as a whole.
  const argv = [
    'pg_dumpall',
    '--globals-only',
    '--no-password',
    ...(isSuperuser ? [] : ['--no-role-passwords']),
  ] as const;
  const command = client.command([argv[0], ...argv.slice(1)], 'postgres');
  return { name: 'globals', kind: 'globals', extension: 'sql', facts: {}, produce: { from: 'command', exec: command } };
}

async function* database(
  client: PostgresClient,
  name: string,
  limitMs: number | undefined,
  whyNot: (signal: AbortSignal) => Promise<string | undefined>,
  signal: AbortSignal,
): AsyncGenerator<Dump> {
  await using connection = await client.connect(name, signal);
  await connection.execute('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const [snapshot] = await connection.rows<{ id: string }>('SELECT pg_export_snapshot() AS id');
  const shape = await databaseShape(connection);
  const objects = await countObjects(connection);
  // Counting runs in the snapshot's own session while pg_dump reads in another.
  const counts = countAll(connection, objects, limitMs);
  counts.catch(() => {});
  const snapshotOption = `--snapshot=${snapshot?.id ?? ''}`;
  const argv = ['pg_dump', '-Fc', '-Z0', '--no-password', '--lock-wait-timeout=60s', snapshotOption] as const;
  yield {
    name,
    kind: 'database',
    extension: 'dump',
    facts: { shape },
    counts,
    produce: {
      from: 'command',
      exec: client.command(argv, name),
      helper: {
        path: 'pipe',
        command: client.nearby(argv, name),
        whyNot,
      },
    },
  };
  await counts;
}

async function countAll(
  connection: PostgresConnection,
  objects: Counts,
  limitMs: number | undefined,
): Promise<readonly Counts[]> {
  const rows = await countRows(connection, limitMs);
  const prefixed = Object.entries(rows.objects).map(([table, count]) => [`rows of ${table}`, count] as const);
  return [objects, { how: rows.how, objects: Object.fromEntries(prefixed) }];
}

/** Milliseconds that counting may take: 0 none, undefined any. */
function rowLimit(policy: DumpPolicy, bytes: number | undefined): number | undefined {
  if (policy.counts === 'exact') return undefined;
  if (policy.counts === 'catalogue') return 0;
  return bytes !== undefined && bytes <= exactLimit.bytes ? exactLimit.ms : 0;
}
