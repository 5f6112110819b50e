import type { Shell } from '../../domain/shell.ts';
import { find, findNamed, readFound } from '../credential.ts';
import { type Directives, lastOf } from './directives.ts';
import type { RedisOptions } from './options.ts';

const variables = ['REDISCLI_AUTH', 'VALKEYCLI_AUTH', 'REDIS_PASSWORD', 'VALKEY_PASSWORD', 'KEYDB_PASSWORD'];

/**
 * Passwords worth trying, the surest first; undefined stands for none. What the options name is the only one; else what
 * the server was started with, what the image's own variables say, and what its configuration file holds.
 */
export async function passwordCandidates(
  shell: Shell,
  options: RedisOptions,
  commandLine: Directives,
  file: Directives,
  signal: AbortSignal,
): Promise<readonly (string | undefined)[]> {
  const named = findNamed(shell.container, options, 'redis');
  if (named) return [await readFound(shell, named, signal)];
  const set = find(shell.container, variables);
  const found = [
    lastOf(commandLine, 'requirepass'),
    set && (await readFound(shell, set, signal)),
    lastOf(file, 'requirepass'),
  ];
  return [...new Set([...found.filter((value) => value !== undefined && value !== ''), undefined])];
}
