import type { MysqlClient } from './client.ts';
import { lines } from './rows.ts';

const end = 'lifeboat-attempted';

/**
 * Runs statements of which any may be refused without harm to the others; returns what the server said of each refused
 * one. For accounts and grants only: never for data.
 */
export async function attempt(
  client: MysqlClient,
  statements: readonly string[],
): Promise<readonly { readonly index: number; readonly said: string }[]> {
  if (statements.length === 0) return [];
  const script = statements.map((statement, index) => `${statement};\nSHOW ERRORS;\nSELECT '${end}', ${index};`);
  const failures: { index: number; said: string }[] = [];
  let said: string | undefined;
  for (const row of lines(await client.run(script.join('\n'), { tolerant: true }))) {
    if (row[0] === end) {
      if (said !== undefined) failures.push({ index: Number(row[1]), said });
      said = undefined;
    } else if (row[0] === 'Error') {
      said = (row[2] ?? '').replace(/ near '.*$/s, '');
    }
  }
  return failures;
}
