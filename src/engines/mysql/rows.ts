import { literal } from './sql.ts';

/** One JSON object per row: columns by name and expression. */
export function asJson(columns: Readonly<Record<string, string>>): string {
  return `JSON_OBJECT(${Object.entries(columns)
    .map(([name, expression]) => `${literal(name)}, ${expression}`)
    .join(', ')})`;
}

/** What the client prints in batch mode: a line per row, columns between tabs, special characters escaped. */
export function lines(printed: string): string[][] {
  const rows = printed.split('\n');
  if (rows.at(-1) === '') rows.pop();
  return rows.map((row) => row.split('\t').map(unescaped));
}

function unescaped(field: string): string {
  return field.replace(/\\([nt0\\])/g, (_, escaped: string) => escapes[escaped] ?? escaped);
}

const escapes: Readonly<Record<string, string>> = { n: '\n', t: '\t', '0': '\0' };
