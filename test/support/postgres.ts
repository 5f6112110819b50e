import { docker, dockerWithInput, eventually } from './testbed.ts';

/** For a container without a client: one of this image on its network, with this password. */
export interface Tools {
  readonly image: string;
  readonly password: string;
}

function client({ image, password }: Tools, name: string, argv: readonly string[]): readonly string[] {
  const login = ['-e', `PGPASSWORD=${password}`, '-e', 'PGHOST=127.0.0.1'];
  return ['run', '--rm', '-i', '--network', `container:${name}`, ...login, image, ...argv];
}

/** SQL as the superuser; rows come back as lines of values with `|` between them. The first error rejects. */
export function psql(name: string, sql: string, database = 'shop', tools?: Tools): Promise<string> {
  const argv = ['psql', '-XqAt', '-v', 'ON_ERROR_STOP=1', '-U', 'postgres'];
  // The name travels in the environment: in argv, `-` and `=` in it would mean something.
  const named = ['env', `PGDATABASE=${database}`, ...argv];
  return dockerWithInput(sql, ...(tools ? client(tools, name, named) : ['exec', '-i', name, ...named]));
}

/** The first start has a server too, on the socket only: ready means it answers on TCP. */
export async function postgresReady(name: string, tools?: Tools): Promise<void> {
  const argv = ['pg_isready', '-q', '-h', '127.0.0.1', '-U', 'postgres'];
  await eventually(() => docker(...(tools ? client(tools, name, argv) : ['exec', name, ...argv])));
}
