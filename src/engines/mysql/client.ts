import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { serverLogHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Command, Place, Shell } from '../../domain/shell.ts';
import { environment, type Login, planLogin, readLogin } from './login.ts';
import type { MysqlOptions } from './options.ts';
import { refused } from './refusal.ts';
import { asJson, lines } from './rows.ts';
import { loopback, type Met, meet, type Server } from './server.ts';
import { findTools, type Tools } from './tools.ts';

/** How we reach one server: where the tools run and as whom. */
export interface MysqlClient {
  readonly shell: Shell;
  readonly tools: Tools;
  readonly server: Server;
  readonly user: string;
  /** The arguments with which a person's client finds the server, where its own defaults do not. */
  readonly reach: readonly string[];
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
  const met = await meet(shell, tools, login, place, options, signal);
  return connected(shell, tools, login, place, met, image);
}

function connected(
  shell: Shell,
  tools: Tools,
  login: Login,
  place: Place,
  met: Met,
  image: string | undefined,
): MysqlClient {
  const { server, address, reach } = met;
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
    reach,
    nearby: () => {
      const beside: Place = { kind: 'helper', network: 'target', ...(image === undefined ? {} : { image }) };
      return connected(shell, tools, login, beside, { ...met, address: loopback(tools, server.port) }, image);
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
        throw new LifeboatError('COMMAND_FAILED', `${tools.client} did not run the SQL to its end`, {
          hint: serverLogHint,
        });
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
