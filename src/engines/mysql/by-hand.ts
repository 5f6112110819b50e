import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import type { DatabaseFacts } from './dump.ts';
import { planLogin, shellWord } from './login.ts';
import type { MysqlOptions } from './options.ts';
import { identifier } from './sql.ts';

/** The line a person types to restore one artifact, beside what is there. */
export function byHand(container: Container, artifact: ArtifactFacts, options: MysqlOptions): string {
  const { client } = artifact.facts as unknown as DatabaseFacts;
  return lineWith(container, options, client, (connect) => loadScript(connect, artifact));
}

/** The line that drops a database, whatever its name. */
export function dropLine(container: Container, database: string, client: string, options: MysqlOptions): string {
  const sql = shellQuote(`DROP DATABASE ${identifier(database)}`);
  return lineWith(container, options, client, (connect) => `exec ${connect} --default-character-set=utf8mb4 -e ${sql}`);
}

/** The password is found inside the container, as the container itself finds it; the tools' image takes MYSQL_PWD. */
function lineWith(
  container: Container,
  options: MysqlOptions,
  client: string,
  script: (connect: string) => string,
): string {
  const plan = planLogin(container, options);
  const tools = options['tools-image'];
  const run = tools
    ? `docker run --rm -i --network container:${container.name} -e MYSQL_PWD ${shellQuote(tools)} sh -c`
    : `docker exec -i ${container.name} sh -c`;
  const address = tools ? ` --protocol=tcp --host=127.0.0.1 --port=${options.port ?? 3306}` : '';
  const login = tools || !plan.password ? '' : `export MYSQL_PWD=${shellWord(plan.password)}; `;
  const user = typeof plan.user === 'string' ? plan.user : undefined;
  const connect = `${client}${address} --user=${user === undefined ? shellWord(plan.user) : shellQuote(user)}`;
  return `${run} ${shellQuote(login + script(connect))}`;
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
