import { untouchedHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Counts } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import type { PostgresClient } from './client.ts';
import { countObjects, countRows } from './counts.ts';
import type { Staged } from './staged.ts';

/** The staged database must hold what was counted when it was dumped. */
export async function compare(client: PostgresClient, entry: Staged, signal: AbortSignal): Promise<string> {
  await using connection = await client.connect(entry.name, signal);
  await connection.execute('ANALYZE', signal);
  await connection.execute('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const expectedRows = entry.artifact.counts.find((counts) => counts.how === 'exact');
  const expectedObjects = entry.artifact.counts.find(
    (counts) => counts.how === 'catalogue' && 'tables' in counts.objects,
  );
  const found: Counts[] = [await countObjects(connection)];
  if (expectedRows) {
    const rows = await countRows(connection, undefined);
    found.push({
      how: 'exact',
      objects: Object.fromEntries(Object.entries(rows.objects).map(([table, count]) => [`rows of ${table}`, count])),
    });
  }
  const restored: Record<string, number> = Object.assign({}, ...found.map(({ objects }) => objects));
  const expected: Record<string, number> = { ...expectedObjects?.objects, ...expectedRows?.objects };
  const differing = Object.entries(expected).filter(([what, count]) => restored[what] !== count);
  if (differing.length > 0) {
    const detail = differing.slice(0, 5).map(([what, count]) => `${what}: ${restored[what] ?? 0} instead of ${count}`);
    throw new LifeboatError(
      'RESTORE_FAILED',
      `the restored copy of ${entry.artifact.name} differs from the backup: ${detail.join(', ')}`,
      { hint: untouchedHint },
    );
  }
  const rows = Object.values(expectedRows?.objects ?? {}).reduce((sum, count) => sum + count, 0);
  const tables = expectedObjects?.objects.tables ?? 0;
  return `${entry.artifact.name}: ${many(tables, 'table')}${expectedRows ? `, ${many(rows, 'row')}` : ''} as in the backup`;
}
