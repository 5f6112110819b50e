import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import type { DatabaseFacts } from './dump.ts';
import { planLogin, shellWord } from './login.ts';
import type { MysqlOptions } from './options.ts';

/** The line a person types; the password is found inside the container, as the container itself finds it. */
export function byHand(container: Container, artifact: ArtifactFacts, options: MysqlOptions): string {
  const plan = planLogin(container, options);
  const { client } = artifact.facts as unknown as DatabaseFacts;
  const tools = options['tools-image'];
  const run = tools
    ? `docker run --rm -i --network container:${container.name} -e MYSQL_PWD ${shellQuote(tools)} sh -c`
    : `docker exec -i ${container.name} sh -c`;
  const address = tools ? ` --protocol=tcp --host=127.0.0.1 --port=${options.port ?? 3306}` : '';
  const login = tools || !plan.password ? '' : `export MYSQL_PWD=${shellWord(plan.password)}; `;
  const user = typeof plan.user === 'string' ? plan.user : undefined;
  const connect = `${client}${address} --user=${user === undefined ? shellWord(plan.user) : shellQuote(user)}`;
  return `${run} ${shellQuote(login + loadScript(connect, artifact))}`;
}

function loadScript(connect: string, artifact: ArtifactFacts): string {
  const load = `exec ${connect} --binary-mode --comments --default-character-set=utf8mb4`;
  if (artifact.kind === 'users') return load;
  const { shape } = artifact.facts as unknown as DatabaseFacts;
  const create = `CREATE DATABASE restored CHARACTER SET ${shape.characterSet} COLLATE ${shape.collation}`;
  return `${connect} -e "${create}" && ${load} --max-allowed-packet=1G restored`;
}
