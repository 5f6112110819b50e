import { randomBytes } from 'node:crypto';
import { serverLogHint } from '../../domain/advice.ts';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { type Command, type Place, promptMs, type Scratch, type Shell } from '../../domain/shell.ts';
import { readFound } from '../credential.ts';
import { planLogin } from './login.ts';
import type { PostgresOptions } from './options.ts';

type Argv = readonly [string, ...string[]];

/** How our sessions are known to the server. */
export const applicationName = 'lifeboat';

/** How we reach one server: where its tools run and as whom. */
export interface PostgresClient {
  readonly shell: Shell;
  readonly user: string;
  /** A client program connected to `database`, whose name may be anything: it travels in the environment, never in argv. */
  command(argv: Argv, database: string): Command;
  /** The same program without any connection, e.g. to read an archive. */
  offline(argv: Argv): Command;
  /** The same as `command`, for a helper on the container's network. */
  nearby(argv: Argv, database: string): Command;
  connect(database: string, signal: AbortSignal): Promise<PostgresConnection>;
  /** `pg_dump (PostgreSQL) 17.5` → `17.5`. Rejects TOOL_MISSING. */
  toolVersion(tool: string, signal: AbortSignal): Promise<string>;
}

/** One server session, held by psql. */
export interface PostgresConnection extends AsyncDisposable {
  /** Runs one statement; rejects COMMAND_FAILED with the server's message. */
  execute(statement: string, signal?: AbortSignal): Promise<void>;
  /** Rows of one SELECT, as objects. */
  rows<T>(select: string, signal?: AbortSignal): Promise<T[]>;
}

const maintenanceSettings = ['statement_timeout', 'idle_in_transaction_session_timeout', 'lock_timeout'];

export async function createClient(
  shell: Shell,
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<PostgresClient> {
  const login = planLogin(shell.container, options);
  const user = typeof login.user === 'string' ? login.user : await readFound(shell, login.user, signal);
  const password = login.password && (await readFound(shell, login.password, signal));
  const toolsImage = options['tools-image'];
  const besideTarget: Place = { kind: 'helper', network: 'target', ...(toolsImage ? { image: toolsImage } : {}) };
  const connectPlace: Place = toolsImage ? besideTarget : { kind: 'container' };
  const port = options.port ?? shell.container.env.PGPORT ?? '5432';
  const env = {
    PGUSER: user,
    PGPORT: String(port),
    PGAPPNAME: applicationName,
    PGCONNECT_TIMEOUT: '15',
    PGCLIENTENCODING: 'UTF8',
    PGOPTIONS: maintenanceSettings.map((name) => `-c ${name}=0`).join(' '),
    // Without tools in the container we come over its loopback, else through its local socket.
    PGHOST: toolsImage ? '127.0.0.1' : '',
    PGPASSFILE: '/nonexistent',
    LC_ALL: 'C',
    ...(password === undefined ? {} : { PGPASSWORD: password }),
  };

  const client: PostgresClient = {
    shell,
    user,
    command: (argv, database) => ({ argv, env: { ...env, PGDATABASE: database }, place: connectPlace }),
    offline: (argv) => offline(argv, options),
    nearby: (argv, database) => ({
      argv,
      env: { ...env, PGDATABASE: database, PGHOST: '127.0.0.1' },
      place: besideTarget,
    }),
    connect: (database, abort) => connect(client, database, abort),
    toolVersion: async (tool, abort) => {
      const printed = await shell
        .text({ ...client.offline([tool, '--version']), timeoutMs: promptMs }, abort)
        .catch((error: unknown) => {
          if (!isLifeboatError(error, 'TOOL_MISSING', 'DUMP_INCOMPLETE')) throw error;
          throw toolMissing(shell, tool, toolsImage, error);
        });
      return /(\d+(?:\.\d+)*)/.exec(printed)?.[1] ?? printed.trim();
    },
  };
  return client;
}

/** A program without any connection, e.g. to read an archive: it needs no login and no running server. */
export function offline(argv: Argv, options: PostgresOptions): Command {
  const toolsImage = options['tools-image'];
  const place: Place = toolsImage ? { kind: 'helper', image: toolsImage, network: 'none' } : { kind: 'container' };
  return { argv, env: { LC_ALL: 'C' }, place, needsImageOnly: true };
}

/** The same program in a helper that has a file of ours, whose name comes last in argv. */
export function withFile(command: Command, { mount, file, user }: Scratch): Command {
  const place = command.place?.kind === 'helper' ? command.place : ({ kind: 'helper', network: 'none' } as const);
  return { ...command, argv: [...command.argv, file], place: { ...place, mounts: [mount] }, user };
}

async function connect(client: PostgresClient, database: string, signal: AbortSignal): Promise<PostgresConnection> {
  // An interactive client keeps one server session open; it ends with its input, also when we are killed.
  const argv = ['psql', '-X', '-q', '-A', '-t', '-w', '-v', 'VERBOSITY=terse', '-P', 'pager=off'] as const;
  const session = await client.shell.session(client.command([...argv], database), signal);

  async function ask(statement: string, abort: AbortSignal): Promise<string> {
    const marker = randomBytes(12).toString('hex');
    const answer = await session.ask(
      `${statement};\n\\echo ${marker} :SQLSTATE :LAST_ERROR_MESSAGE\n\\echo ${marker}\n`,
      marker,
      abort,
    );
    const at = answer.lastIndexOf(`${marker} `);
    const [state = '', ...message] = answer
      .slice(at + marker.length + 1)
      .trimEnd()
      .split(' ');
    if (at >= 0 && state === '00000') return answer.slice(0, at);
    throw new LifeboatError(
      'COMMAND_FAILED',
      `PostgreSQL refused a statement: ${message.join(' ')} (SQLSTATE ${state})`,
      { hint: serverLogHint, context: { state } },
    );
  }

  const connection: PostgresConnection = {
    execute: async (statement, abort = signal) => {
      await ask(statement, abort);
    },
    rows: async <T>(select: string, abort = signal) => {
      const answer = await ask(`SELECT coalesce(json_agg(t), '[]'::json) FROM (${select}) t`, abort);
      return JSON.parse(answer) as T[];
    },
    [Symbol.asyncDispose]: () => session[Symbol.asyncDispose](),
  };
  try {
    await connection.execute("SET client_min_messages = 'warning'");
    await connection.execute('SET standard_conforming_strings = on');
    const [version] = await connection.rows<{ num: number }>(
      "SELECT current_setting('server_version_num')::int AS num",
    );
    if (version && version.num >= 170_000) await connection.execute('SET transaction_timeout = 0');
    return connection;
  } catch (error) {
    await session[Symbol.asyncDispose]();
    throw loginFailed(client, database, error);
  }
}

function loginFailed(client: PostgresClient, database: string, error: unknown): unknown {
  if (!isLifeboatError(error, 'COMMAND_FAILED')) return error;
  if (/executable file not found|no such file or directory.*psql|psql.*not found/i.test(error.message)) {
    return toolMissing(client.shell, 'psql', undefined, error);
  }
  return new LifeboatError(
    'LOGIN_FAILED',
    `cannot connect to database ${database} as ${client.user}: ${error.message}`,
    {
      hint: 'set lifeboat.postgres.user, .password-env or .password-file on this service',
      cause: error,
    },
  );
}

function toolMissing(shell: Shell, tool: string, toolsImage: string | undefined, cause: unknown): LifeboatError {
  const image = toolsImage ?? shell.container.image;
  return new LifeboatError('TOOL_MISSING', `image ${image} has no ${tool}`, {
    hint: `name an image that has it, at least of the server's version, e.g. the label lifeboat.postgres.tools-image: postgres:17`,
    cause,
  });
}
