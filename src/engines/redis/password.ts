import { LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import { containerVariable, readSecretFile } from '../credential.ts';
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
  const path = options['password-file'];
  if (path !== undefined) return [await readSecretFile(shell, path, signal)];
  const named = options['password-env'];
  if (named !== undefined) {
    const value = shell.container.env[named];
    if (value !== undefined) return [value];
    throw new LifeboatError('LOGIN_FAILED', `container ${shell.container.name} has no variable ${named}`, {
      hint: 'lifeboat.redis.password-env must name a variable of that container',
    });
  }
  const found = [
    lastOf(commandLine, 'requirepass'),
    await containerVariable(shell, variables, signal),
    lastOf(file, 'requirepass'),
  ];
  return [...new Set([...found.filter((value) => value !== undefined && value !== ''), undefined])];
}
