import type { MysqlClient } from './client.ts';
import { identifier, literal, qualified } from './sql.ts';

interface Column {
  readonly database: string;
  readonly table: string;
  readonly name: string;
  readonly column: string;
  readonly toDatabase: string;
  readonly toTable: string;
  readonly toColumn: string;
  readonly onUpdate: string;
  readonly onDelete: string;
}

const actions = new Set(['RESTRICT', 'CASCADE', 'SET NULL', 'NO ACTION', 'SET DEFAULT']);

/**
 * Foreign keys of tables elsewhere follow a table that is moved to another database. After the switch they point at the
 * tables that were put aside: each is made again towards the database it was meant for. `moved` gives for each database
 * that tables were moved to the one they came from. Returns the keys, as people would name them.
 */
export async function repointForeignKeys(client: MysqlClient, moved: ReadonlyMap<string, string>): Promise<string[]> {
  if (moved.size === 0) return [];
  const list = [...moved.keys()].map(literal).join(', ');
  const columns = {
    database: 'k.TABLE_SCHEMA',
    table: 'k.TABLE_NAME',
    name: 'k.CONSTRAINT_NAME',
    column: 'k.COLUMN_NAME',
    toDatabase: 'k.REFERENCED_TABLE_SCHEMA',
    toTable: 'k.REFERENCED_TABLE_NAME',
    toColumn: 'k.REFERENCED_COLUMN_NAME',
    onUpdate: 'r.UPDATE_RULE',
    onDelete: 'r.DELETE_RULE',
  };
  const from = `FROM information_schema.KEY_COLUMN_USAGE k JOIN information_schema.REFERENTIAL_CONSTRAINTS r
    ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME
    WHERE k.REFERENCED_TABLE_SCHEMA IN (${list}) AND k.TABLE_SCHEMA NOT IN (${list})
    ORDER BY k.TABLE_SCHEMA, k.TABLE_NAME, k.CONSTRAINT_NAME, k.ORDINAL_POSITION`;
  const keys = Map.groupBy(await client.rows<Column>(columns, from), ({ database, table, name }) =>
    [database, table, name].join('\0'),
  );
  const scripts = [...keys.values()].map((parts) => repoint(parts, moved, client.server.product));
  if (scripts.length > 0) await client.run(`SET FOREIGN_KEY_CHECKS = 0;\n${scripts.join('\n')}`);
  return [...keys.values()].map(([first]) => `${first?.database}.${first?.table}`);
}

/** Two statements: neither product takes the name of a key that the same statement drops. */
function repoint(parts: readonly Column[], moved: ReadonlyMap<string, string>, product: string): string {
  const [key] = parts;
  if (!key) return '';
  const { database, table, name, toDatabase, toTable, onUpdate, onDelete } = key;
  const list = (names: readonly string[]) => names.map(identifier).join(', ');
  const alter = `ALTER TABLE ${qualified(database, table)}`;
  const target = qualified(moved.get(toDatabase) ?? toDatabase, toTable);
  return `${alter} DROP FOREIGN KEY ${identifier(name)};
${alter} ADD CONSTRAINT ${identifier(name)} FOREIGN KEY (${list(parts.map(({ column }) => column))})
  REFERENCES ${target} (${list(parts.map(({ toColumn }) => toColumn))})${rule('UPDATE', onUpdate, product)}${rule('DELETE', onDelete, product)};`;
}

/** A rule that nobody asked for is not spelled out, or the key would read differently afterwards. */
function rule(event: 'UPDATE' | 'DELETE', action: string, product: string): string {
  if (action === (product === 'MariaDB' ? 'RESTRICT' : 'NO ACTION')) return '';
  if (!actions.has(action)) throw new Error(`a foreign key has the unknown rule ON ${event} ${action}`);
  return ` ON ${event} ${action}`;
}
