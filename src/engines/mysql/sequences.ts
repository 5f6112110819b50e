import type { MysqlClient } from './client.ts';
import { asBytes, asText } from './lexer.ts';
import { redirectSequences } from './rewrite.ts';
import { identifier, literal, qualified } from './sql.ts';
import type { Staged } from './staging.ts';

interface Column {
  readonly table: string;
  readonly name: string;
  readonly value: string;
}

/**
 * Statements for after the move: defaults of staged tables draw from the sequences beside them, by the name of the staging
 * database, which a move of the tables does not change.
 */
export async function sequenceDefaults(client: MysqlClient, staged: readonly Staged[]): Promise<string> {
  if (client.server.product !== 'MariaDB') return '';
  const statements: string[] = [];
  for (const { staging, target } of staged) {
    const columns = { table: 'TABLE_NAME', name: 'COLUMN_NAME', value: 'COLUMN_DEFAULT' };
    const from = `FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ${literal(staging)} AND COLUMN_DEFAULT LIKE '%val(%'`;
    for (const { table, name, value } of await client.rows<Column>(columns, from)) {
      const redirected = asText(redirectSequences(asBytes(value), staging, target));
      if (redirected === value) continue;
      statements.push(
        `ALTER TABLE ${qualified(target, table)} ALTER COLUMN ${identifier(name)} SET DEFAULT (${redirected});\n`,
      );
    }
  }
  return statements.join('');
}
