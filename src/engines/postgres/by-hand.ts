import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import type { PostgresOptions } from './options.ts';
import { identifier } from './sql.ts';

/** The line a person types to restore one artifact, beside what is there. */
export function byHand(container: Container, artifact: ArtifactFacts, options: PostgresOptions): string {
  const { run, login } = clientOf(container, options);
  if (artifact.kind === 'globals') return `${run} psql ${login} -d postgres`;
  // A name of its own for each database, and one that no tool reads as an option or a connection string.
  const beside = `restored_${artifact.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 50)}`;
  const script = `createdb ${login} -T template0 ${beside} && ${loadScript(login, beside, options)}`;
  return `${run} sh -c ${shellQuote(script)}`;
}

function loadScript(login: string, database: string, options: PostgresOptions): string {
  if (!options['tools-image']) return `pg_restore ${login} --exit-on-error -d ${database}`;
  // Tools newer than the server begin with a setting that it does not know.
  return [
    'pg_restore -f /tmp/x.sql',
    'sed -i "1,40{/^SET transaction_timeout/d;}" /tmp/x.sql',
    `psql ${login} -Xq1 -v ON_ERROR_STOP=1 -d ${database} -f /tmp/x.sql`,
  ].join(' && ');
}

/** The line that drops a database, whatever its name. */
export function dropLine(container: Container, database: string, options: PostgresOptions): string {
  const { run, login } = clientOf(container, options);
  return `${run} psql ${login} -d postgres -c ${shellQuote(`DROP DATABASE ${identifier(database)}`)}`;
}

/** A client of PostgreSQL: in the container, or from the tools' image with the password that PGPASSWORD holds. */
function clientOf(container: Container, options: PostgresOptions): { readonly run: string; readonly login: string } {
  const user = options.user ?? container.env.POSTGRES_USER ?? container.env.POSTGRESQL_USERNAME ?? 'postgres';
  const tools = options['tools-image'];
  const name = shellQuote(container.name);
  return tools
    ? {
        run: `docker run --rm -i --network container:${name} -e PGPASSWORD ${shellQuote(tools)}`,
        login: `-U ${shellQuote(user)} -h 127.0.0.1`,
      }
    : { run: `docker exec -i ${name}`, login: `-U ${shellQuote(user)}` };
}
