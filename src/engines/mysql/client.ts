import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { type Command, type Place, promptMs, type Shell } from '../../domain/shell.ts';
import { type Login, planLogin, readLogin } from './login.ts';
import type { MysqlOptions } from './options.ts';
import { literal } from './sql.ts';
import { findTools, type Tools } from './tools.ts';

/** What the server says of itself. */
export interface Server {
  readonly product: 'MySQL' | 'MariaDB';
  readonly version: string;
  readonly socket: string;
  readonly port: number;
  readonly folder: string;
  /** The account that the server took us for: `root@localhost`. */
  readonly account: string;
  readonly isReadOnly: boolean;
  /** The longest statement it takes, in bytes. */
  readonly maxPacket: number;
}

/** How we reach one server: where the tools run and as whom. */
export interface MysqlClient {
  readonly shell: Shell;
  readonly tools: Tools;
  readonly server: Server;
  readonly user: string;
  /** The same login for a helper on the container's network; nobody has tried it yet. */
  nearby(): MysqlClient;
  /** A program of the tools, connected. Names of databases in `args` must not be readable as options. */
  command(program: string, args: readonly string[]): Command;
  /** Runs statements in one session; rejects COMMAND_FAILED with the server's first refusal, its number in the context. */
  run(script: string, options?: RunOptions): Promise<string>;
  /** Rows of one SELECT of columns given by name and expression. */
  rows<T>(columns: Readonly<Record<string, string>>, from: string, signal?: AbortSignal): Promise<T[]>;
  /** Feeds SQL to the client; resolves only when the server ran its last statement. */
  load(sql: Readable | string, database: string, signal?: AbortSignal): Promise<void>;
}

export interface RunOptions {
  readonly database?: string;
  /** Goes on after a refused statement: for questions of which some may have no answer, never for changes. */
  readonly tolerant?: boolean;
  readonly signal?: AbortSignal | undefined;
}

export async function createClient(shell: Shell, options: MysqlOptions, signal: AbortSignal): Promise<MysqlClient> {
  const plan = planLogin(shell.container, options);
  const image = options['tools-image'];
  const place: Place = image === undefined ? { kind: 'container' } : { kind: 'helper', image, network: 'target' };
  const login = await readLogin(shell, plan, signal);
  const tools = await findTools(shell, place, image, signal);
  const { server, address } = await meet(shell, tools, login, place, options, signal);
  return connected(shell, tools, server, login, place, address, image);
}

function connected(
  shell: Shell,
  tools: Tools,
  server: Server,
  login: Login,
  place: Place,
  address: readonly string[],
  image: string | undefined,
): MysqlClient {
  const command = (program: string, args: readonly string[]): Command => ({
    argv: [program, '--no-defaults', ...address, `--user=${login.user}`, '--default-character-set=utf8mb4', ...args],
    env: environment(login),
    place,
  });
  const plain = ['--batch', '--skip-column-names', '--binary-mode'];

  async function run(script: string, { database, tolerant, signal }: RunOptions = {}): Promise<string> {
    if (script === '') return '';
    const args = [...plain, ...(tolerant ? ['--force'] : []), ...(database === undefined ? [] : [chosen(database)])];
    const finished = await shell.run(command(tools.client, args), `${session}${script}\n`, signal);
    if (finished.exitCode !== 0 && !(tolerant && finished.exitCode === 1)) throw refused(finished.stderr);
    return finished.stdout;
  }

  return {
    shell,
    tools,
    server,
    user: login.user,
    nearby: () => {
      const beside: Place = { kind: 'helper', network: 'target', ...(image === undefined ? {} : { image }) };
      return connected(shell, tools, server, login, beside, loopback(tools, server.port), image);
    },
    command,
    run,
    rows: async <T>(columns: Readonly<Record<string, string>>, from: string, signal?: AbortSignal) => {
      const printed = await run(`SELECT ${asJson(columns)} ${from};`, { signal });
      return lines(printed).map(([row]) => JSON.parse(row ?? '') as T);
    },
    load: async (sql, database, signal) => {
      if (sql === '') return;
      // The client takes the end of its input for the end of the work, and runs a last statement that lacks its
      // delimiter: only an answer to a question after the last statement proves that all of them were run.
      const marker = randomBytes(12).toString('hex');
      const args = [...plain, '--comments', '--max-allowed-packet=1G', chosen(database)];
      const input = Readable.from(withQuestion(sql, marker), { objectMode: false });
      const finished = await shell.run(command(tools.client, args), input, signal);
      if (finished.exitCode !== 0) throw refused(finished.stderr);
      if (!finished.stdout.split('\n').includes(marker)) {
        throw new LifeboatError('COMMAND_FAILED', `${tools.client} did not run the SQL to its end`);
      }
    },
  };
}

/** Our own statements are written for this mode, whatever the server's is. */
const session = "SET SESSION sql_mode = '';\n";

async function* withQuestion(sql: Readable | string, marker: string): AsyncGenerator<Buffer> {
  if (typeof sql === 'string') yield Buffer.from(sql, 'latin1');
  else yield* sql as AsyncIterable<Buffer>;
  yield Buffer.from(`\nSELECT '${marker}';\n`);
}

function chosen(database: string): string {
  return `--database=${database}`;
}

function asJson(columns: Readonly<Record<string, string>>): string {
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

function environment(login: Login): Record<string, string> {
  // Not the container's own settings of a client: those are for its people, and may name another server.
  return { MYSQL_PWD: login.password, MYSQL_TEST_LOGIN_FILE: '/nonexistent', HOME: '/nonexistent', LC_ALL: 'C' };
}

/** The first connection finds the socket as any client in the container does; the others go straight to it. */
async function meet(
  shell: Shell,
  tools: Tools,
  login: Login,
  place: Place,
  options: MysqlOptions,
  signal: AbortSignal,
): Promise<{ server: Server; address: readonly string[] }> {
  const network = loopback(tools, options.port ?? 3306);
  const ways = place.kind === 'helper' ? [network] : [['--protocol=socket'], network];
  let failure: unknown;
  for (const way of ways) {
    const args = [...way, `--user=${login.user}`, '--connect-timeout=15', '--batch', '--skip-column-names'];
    const command: Command = { argv: [tools.client, ...args], env: environment(login), place, timeoutMs: promptMs };
    const finished = await shell.run(command, `SELECT ${asJson(about)};\n`, signal);
    if (finished.exitCode === 0) {
      const server = describe(finished.stdout);
      return { server, address: way === network ? network : ['--protocol=socket', `--socket=${server.socket}`] };
    }
    const error = refused(finished.stderr);
    // 2002 and 2003: nobody listens there; everything else is an answer.
    if (![2002, 2003].includes(Number(error.context.errno))) throw loginFailed(shell, login, error);
    failure ??= loginFailed(shell, login, error);
  }
  throw failure;
}

const about = {
  version: 'VERSION()',
  socket: '@@socket',
  port: '@@port',
  folder: '@@datadir',
  account: 'CURRENT_USER()',
  readOnly: 'CONCAT(@@global.read_only)', // MariaDB's JSON_OBJECT writes a bare OFF.
  maxPacket: '@@global.max_allowed_packet',
};

function describe(printed: string): Server {
  const row = JSON.parse(lines(printed)[0]?.[0] ?? '{}') as Record<keyof typeof about, string>;
  return {
    product: /mariadb/i.test(row.version) ? 'MariaDB' : 'MySQL',
    version: /^[\d.]+/.exec(row.version)?.[0] ?? row.version,
    socket: row.socket.startsWith('/') ? row.socket : `${row.folder}${row.socket}`,
    port: Number(row.port),
    folder: row.folder,
    account: row.account,
    isReadOnly: !['0', 'OFF'].includes(String(row.readOnly)),
    maxPacket: Number(row.maxPacket),
  };
}

function loopback(tools: Tools, port: number): string[] {
  return ['--protocol=tcp', '--host=127.0.0.1', `--port=${port}`, ...trust(tools)];
}

/** On the container's own loopback there is nobody to be told from the server. */
function trust(tools: Tools): string[] {
  return tools.product === 'MariaDB' ? ['--skip-ssl-verify-server-cert'] : ['--get-server-public-key'];
}

/** The server's own words; the statement that it refused may hold secrets and is not repeated. */
function refused(stderr: string): LifeboatError {
  const found = /ERROR (\d+) \(\w+\)(?: at line \d+)?: (.*)/.exec(stderr);
  const said = found?.[2]?.replace(/ near '.*$/, '') ?? stderr.trim().split('\n').at(-1) ?? 'no message';
  return new LifeboatError('COMMAND_FAILED', `the server refused a statement: ${said.slice(0, 500)}`, {
    context: { errno: found?.[1] === undefined ? undefined : Number(found[1]) },
  });
}

/** True for a refusal with one of the server's error numbers. */
export function isRefusal(error: unknown, ...numbers: readonly number[]): error is LifeboatError {
  return isLifeboatError(error, 'COMMAND_FAILED') && numbers.includes(Number(error.context.errno));
}

function loginFailed(shell: Shell, login: Login, cause: LifeboatError): LifeboatError {
  const said = cause.message.replace('the server refused a statement: ', '');
  return new LifeboatError('LOGIN_FAILED', `cannot connect to ${shell.container.name} as ${login.user}: ${said}`, {
    hint:
      cause.context.errno === 1045
        ? 'the password in the environment counts only when the data folder is first made; set lifeboat.mysql.user, .password-env or .password-file on this service'
        : 'is the server up? An image that listens elsewhere needs lifeboat.mysql.port',
    retryable: cause.context.errno !== 1045,
    cause,
  });
}
