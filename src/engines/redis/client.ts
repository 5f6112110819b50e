import { randomBytes } from 'node:crypto';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { type Command, promptMs, type Shell } from '../../domain/shell.ts';
import { connectArguments } from './connect.ts';
import { type Directives, directivesOf, launchOf } from './directives.ts';
import type { RedisOptions } from './options.ts';
import { passwordCandidates } from './password.ts';
import { quotedWord } from './words.ts';

/** One answer of the server, as text. An error is an answer too: what to make of it is up to who asked. */
export interface Reply {
  readonly text: string;
  readonly isError: boolean;
}

/** How we reach one running server: with which tool and as whom. */
export interface RedisClient {
  readonly shell: Shell;
  /** Path of `redis-cli`, `valkey-cli` or `keydb-cli` in the container. */
  readonly tool: string;
  /** What the server was started with, as far as it can be read. */
  readonly directives: Directives;
  /** Sends commands one after the other and resolves with one reply each. Rejects LOGIN_FAILED or COMMAND_FAILED. */
  ask(commands: readonly (readonly string[])[], signal: AbortSignal): Promise<readonly Reply[]>;
  /** The tool, logged in, with more arguments. */
  command(args: readonly string[]): Command;
}

const tools = ['valkey-cli', 'redis-cli', 'keydb-cli'];
const findTool = `for tool in ${tools.join(' ')}; do command -v "$tool" && exit 0; done; exit 44`;
const noTool = 44;
const errorReply =
  /^\(?(?:error\) )?(?:ERR|NOAUTH|NOPERM|WRONGPASS|LOADING|DENIED|MISCONF|BUSY|MASTERDOWN|READONLY|WRONGTYPE) /;
const refusedLogin = /^AUTH failed: (?:WRONGPASS|NOPERM)/m;
const refusedCommand = /^(?:NOAUTH|NOPERM|DENIED) /m;

/** Finds the tool and logs in. Rejects TOOL_MISSING, LOGIN_FAILED or COMMAND_FAILED. */
export async function createClient(shell: Shell, options: RedisOptions, signal: AbortSignal): Promise<RedisClient> {
  const launch = launchOf(shell.container);
  const file = await configFile(shell, launch.file, signal);
  const directives = new Map([...file, ...launch.directives]);
  const tool = await toolOf(shell, signal);
  const argv = [tool, ...connectArguments(shell.container, options, directives)] as const;
  let refusal: unknown;
  for (const password of await passwordCandidates(shell, options, launch.directives, file, signal)) {
    const client = clientWith(shell, [argv[0], ...argv.slice(1)], directives, password);
    try {
      await client.ask([['PING']], signal);
      return client;
    } catch (error) {
      if (!isLifeboatError(error, 'LOGIN_FAILED')) throw error;
      refusal ??= error;
    }
  }
  throw refusal;
}

function clientWith(
  shell: Shell,
  argv: readonly [string, ...string[]],
  directives: Directives,
  password: string | undefined,
): RedisClient {
  // In the environment of the one process, because argv is told to everyone who listens to the Engine's events.
  const login = password === undefined ? {} : { REDISCLI_AUTH: password, VALKEYCLI_AUTH: password };
  const env = { ...login, LC_ALL: 'C' };
  const command = (args: readonly string[]): Command => ({ argv: [...argv, ...args], env });
  return {
    shell,
    tool: argv[0],
    directives,
    command,
    ask: async (commands, signal) => {
      const marker = randomBytes(12).toString('hex');
      const lines = commands.flatMap((words) => [words.map(quotedWord).join(' '), `ECHO ${marker}`]);
      const { stdout, stderr } = await shell.run(
        { ...command([]), timeoutMs: promptMs },
        `${lines.join('\n')}\n`,
        signal,
      );
      const replies = stdout.split(`${marker}\n`);
      // After a refused login the tool goes on as the default user, which may be allowed a lot.
      if (refusedLogin.test(stderr)) throw loginFailed(shell, stderr);
      if (replies.length <= commands.length) {
        throw refusedCommand.test(stdout)
          ? loginFailed(shell, stdout)
          : noAnswer(shell, stderr.trim() || stdout.trim());
      }
      return replies.slice(0, -1).map((text) => ({ text: text.replace(/\n+$/, ''), isError: errorReply.test(text) }));
    },
  };
}

async function toolOf(shell: Shell, signal: AbortSignal): Promise<string> {
  const found = await shell.run({ argv: ['sh', '-c', findTool], timeoutMs: promptMs }, undefined, signal);
  const tool = found.stdout.trim();
  if (found.exitCode === 0 && tool !== '') return tool;
  if (found.exitCode !== noTool) throw noAnswer(shell, found.stderr.trim());
  throw new LifeboatError('TOOL_MISSING', `image ${shell.container.image} has none of ${tools.join(', ')}`, {
    hint: 'use an image that brings its client, as the official ones do',
  });
}

/** A configuration file that cannot be read is no failure: the password may come from elsewhere. */
async function configFile(shell: Shell, path: string | undefined, signal: AbortSignal): Promise<Directives> {
  if (path === undefined) return new Map();
  const read = await shell.run({ argv: ['cat', '--', path], user: '0', timeoutMs: promptMs }, undefined, signal);
  return read.exitCode === 0 ? directivesOf(read.stdout) : new Map();
}

function loginFailed(shell: Shell, said: string): LifeboatError {
  const [first = ''] = said.trim().split('\n');
  return new LifeboatError('LOGIN_FAILED', `the server in ${shell.container.name} refuses the login: ${first}`, {
    hint: 'set lifeboat.redis.password-env, .password-file or .user on this service',
  });
}

function noAnswer(shell: Shell, said: string): LifeboatError {
  const [first = 'no message'] = said.split('\n');
  return new LifeboatError('COMMAND_FAILED', `the server in ${shell.container.name} does not answer: ${first}`, {
    hint: 'set lifeboat.redis.port or .tls on this service when it does not listen as usual',
    retryable: true,
  });
}
