import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import { typedLine } from '../typed-line.ts';
import { planLogin } from './login.ts';
import type { PostgresOptions } from './options.ts';
import { identifier } from './sql.ts';

/** The line a person types to restore one artifact, beside what is there. */
export function byHand(container: Container, artifact: ArtifactFacts, options: PostgresOptions): string {
  if (artifact.kind === 'globals') return lineWith(container, options, (login) => `psql ${login} -d postgres`);
  // A name of its own for each database, and one that no tool reads as an option or a connection string.
  const beside = `restored_${artifact.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 50)}`;
  return lineWith(
    container,
    options,
    (login) => `createdb ${login} -T template0 ${beside} && ${loadScript(login, beside, options)}`,
  );
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
  const statement = shellQuote(`DROP DATABASE ${identifier(database)}`);
  return lineWith(container, options, (login) => `psql ${login} -d postgres -c ${statement}`);
}

function lineWith(container: Container, options: PostgresOptions, script: (login: string) => string): string {
  const tools = options['tools-image'];
  // In the container a client reads PGPORT as we do.
  const port = options.port ?? (tools === undefined ? undefined : container.env.PGPORT);
  const where = `${tools === undefined ? '' : ' -h 127.0.0.1'}${port === undefined ? '' : ` -p ${shellQuote(String(port))}`}`;
  const login = { ...planLogin(container, options), variable: 'PGPASSWORD' } as const;
  return typedLine(container, tools, login, (user) => script(`-U ${user}${where}`));
}
