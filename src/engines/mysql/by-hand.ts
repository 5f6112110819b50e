import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import { typedLine } from '../typed-line.ts';
import type { DatabaseFacts, ToolFacts } from './dump.ts';
import { planLogin } from './login.ts';
import type { MysqlOptions } from './options.ts';
import { identifier } from './sql.ts';

/** The line a person types to restore one artifact, beside what is there. */
export function byHand(container: Container, artifact: ArtifactFacts, options: MysqlOptions): string {
  const { client, reach } = artifact.facts as unknown as ToolFacts;
  return lineWith(container, options, [client, ...reach], (connect) => loadScript(connect, artifact));
}

/** The line that drops a database, whatever its name. */
export function dropLine(
  container: Container,
  database: string,
  { client, reach }: ToolFacts,
  options: MysqlOptions,
): string {
  const sql = shellQuote(`DROP DATABASE ${identifier(database)}`);
  const script = (connect: string) => `exec ${connect} --default-character-set=utf8mb4 -e ${sql}`;
  return lineWith(container, options, [client, ...reach], script);
}

function lineWith(
  container: Container,
  options: MysqlOptions,
  argv: readonly string[],
  script: (connect: string) => string,
): string {
  const { user, password } = planLogin(container, options);
  const login = { user, password, variable: 'MYSQL_PWD' } as const;
  return typedLine(container, options['tools-image'], login, (word) => script(`${argv.join(' ')} --user=${word}`));
}

function loadScript(connect: string, artifact: ArtifactFacts): string {
  const load = `exec ${connect} --binary-mode --comments --default-character-set=utf8mb4`;
  // Grants on tables that are not there yet fail and are told of; the others must not fail with them.
  if (artifact.kind === 'users') return `${load} --force`;
  const { shape } = artifact.facts as unknown as DatabaseFacts;
  // A name of its own for each database, in letters that need no quoting anywhere.
  const beside = `restored_${artifact.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 50)}`;
  const create = `CREATE DATABASE ${beside} CHARACTER SET ${shape.characterSet} COLLATE ${shape.collation}`;
  return `${connect} -e "${create}" && ${load} --max-allowed-packet=1G ${beside}`;
}
