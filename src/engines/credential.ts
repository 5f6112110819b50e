import { LifeboatError } from '../domain/errors.ts';
import { promptMs, type Shell } from '../domain/shell.ts';

/**
 * The first of these variables the container has, by value or by its `_FILE` twin, which is read inside the container.
 * Undefined when it has none. The value is held in memory only.
 */
export async function containerVariable(
  shell: Shell,
  names: readonly string[],
  signal: AbortSignal,
): Promise<string | undefined> {
  const { env } = shell.container;
  for (const name of names) {
    const value = env[name];
    if (value !== undefined && value !== '') return value;
    const file = env[`${name}_FILE`];
    if (file !== undefined && file !== '') return readSecretFile(shell, file, signal);
  }
  return undefined;
}

/** A file inside the container without its trailing newlines, which is how the official images read it. */
export async function readSecretFile(shell: Shell, path: string, signal: AbortSignal): Promise<string> {
  const finished = await shell.run({ argv: ['cat', '--', path], user: '0', timeoutMs: promptMs }, undefined, signal);
  if (finished.exitCode === 0) return finished.stdout.replace(/\n+$/, '');
  throw new LifeboatError('LOGIN_FAILED', `the secret file ${path} in ${shell.container.name} cannot be read`, {
    hint: finished.stderr.trim().slice(0, 300),
  });
}
