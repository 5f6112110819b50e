import type { Container } from '../../domain/types.ts';
import { configWords, shellWords } from './words.ts';

/** Settings of a server by lower-case name; each occurrence is a list of words. */
export type Directives = ReadonlyMap<string, readonly (readonly string[])[]>;

/** What a container's command line gives to its server. */
export interface Launch {
  readonly directives: Directives;
  /** Configuration file named as the first argument. */
  readonly file: string | undefined;
  /** Whether a server program is named at all; official entry points add it themselves. */
  readonly namesServer: boolean;
}

const serverName = /(?:^|\/)(?:redis|valkey|keydb)-server$/;
const shellName = /(?:^|\/)(?:sh|bash|ash|dash)$/;
/** Variables from which images take words of the server's command line. */
const argumentVariables = ['REDIS_ARGS', 'VALKEY_EXTRA_FLAGS', 'REDIS_EXTRA_FLAGS', 'VALKEY_ARGS'];

/** Reads the container's command and the variables that lengthen it. Pure: no file is opened. */
export function launchOf({ command, env }: Pick<Container, 'command' | 'env'>): Launch {
  const words = expanded(command, env);
  const server = words.findIndex((word) => serverName.test(word));
  const after = server < 0 ? words.slice(firstOption(words)) : words.slice(server + 1);
  const end = after.findIndex((word) => /^[;|&]+$/.test(word));
  const args = end < 0 ? after : after.slice(0, end);
  const file = args[0] !== undefined && !args[0].startsWith('--') && args[0] !== '-' ? args[0] : undefined;
  const extra = argumentVariables.flatMap((name) => env[name]?.split(/\s+/).filter((word) => word !== '') ?? []);
  return {
    directives: fromArguments([...(file === undefined ? args : args.slice(1)), ...extra]),
    file: file ?? words.find((word) => word.endsWith('.conf')),
    namesServer: server >= 0,
  };
}

/** Reads a configuration file's text. */
export function directivesOf(text: string): Directives {
  const lines = text.split('\n').filter((line) => line.trim() !== '' && !line.trim().startsWith('#'));
  return collect(lines.map(configWords));
}

/** The last value of a setting, which is the one that counts; its words joined. */
export function lastOf(directives: Directives, name: string): string | undefined {
  return directives.get(name)?.at(-1)?.join(' ');
}

/** `sh -c "…"` becomes the words of its script, behind the shell. */
function expanded(command: readonly string[], env: Readonly<Record<string, string>>): readonly string[] {
  const shell = command.findIndex((word) => shellName.test(word));
  const script = shell < 0 ? -1 : command.findIndex((word, i) => i > shell && /^-\w*c$/.test(word)) + 1;
  if (script <= 0) return command;
  return [...command.slice(0, shell + 1), ...shellWords(command[script] ?? '', env), ...command.slice(script + 1)];
}

function firstOption(words: readonly string[]): number {
  const at = words.findIndex((word) => word.startsWith('--'));
  return at < 0 ? words.length : at;
}

/** `--name value…` up to the next one. */
function fromArguments(args: readonly string[]): Directives {
  const entries: string[][] = [];
  for (const arg of args) {
    if (arg.startsWith('--')) entries.push([arg.slice(2)]);
    else entries.at(-1)?.push(arg);
  }
  return collect(entries);
}

function collect(entries: readonly (readonly string[])[]): Directives {
  const directives = new Map<string, (readonly string[])[]>();
  for (const [name = '', ...values] of entries) {
    const key = name.toLowerCase();
    directives.set(key, [...(directives.get(key) ?? []), values]);
  }
  return directives;
}
