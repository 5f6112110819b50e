import { LifeboatError } from '../../domain/errors.ts';
import { type Command, type Place, promptMs, type Shell } from '../../domain/shell.ts';
import { environment, type Login } from './login.ts';
import type { MysqlOptions } from './options.ts';
import { refused } from './refusal.ts';
import { asJson, lines } from './rows.ts';
import type { Tools } from './tools.ts';

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

/** A server that let us in, and the arguments with which it is reached. */
export interface Met {
  readonly server: Server;
  readonly address: readonly string[];
  /** The address where a client's own defaults do not find it. */
  readonly reach: readonly string[];
}

/** The first connection finds the socket as any client in the container does; the others go straight to it. */
export async function meet(
  shell: Shell,
  tools: Tools,
  login: Login,
  place: Place,
  options: MysqlOptions,
  signal: AbortSignal,
): Promise<Met> {
  const network = loopback(tools, options.port ?? 3306);
  const ways = place.kind === 'helper' ? [network] : [[overSocket], network];
  let failure: unknown;
  for (const way of ways) {
    const args = [...way, `--user=${login.user}`, '--connect-timeout=15', '--batch', '--skip-column-names'];
    const command: Command = { argv: [tools.client, ...args], env: environment(login), place, timeoutMs: promptMs };
    const finished = await shell.run(command, `SELECT ${asJson(about)};\n`, signal);
    if (finished.exitCode === 0) {
      const server = describe(finished.stdout);
      if (way === network) return { server, address: network, reach: network };
      return { server, address: [overSocket, `--socket=${server.socket}`], reach: [] };
    }
    const error = refused(finished.stderr);
    // 2002 and 2003: nobody listens there; everything else is an answer.
    if (![2002, 2003].includes(Number(error.context.errno))) throw loginFailed(shell, login, error);
    failure ??= loginFailed(shell, login, error);
  }
  throw failure;
}

/** The address of the server for a client on the network of its container. */
export function loopback(tools: Tools, port: number): string[] {
  return ['--protocol=tcp', '--host=127.0.0.1', `--port=${port}`, ...trust(tools)];
}

// --- utils ---

const overSocket = '--protocol=socket';

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

/** On the container's own loopback there is nobody to be told from the server. */
function trust(tools: Tools): string[] {
  return tools.product === 'MariaDB' ? ['--skip-ssl-verify-server-cert'] : ['--get-server-public-key'];
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
