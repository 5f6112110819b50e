import { LifeboatError } from '../domain/errors.ts';
import { shellQuote } from '../domain/naming.ts';
import { promptMs, type Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';

/** Where a value is found: in the container's environment, or in a file inside it. Nothing secret in it. */
export type Found =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly variable?: string };

/** The first of these variables that the container has, by value or by its `_FILE` twin. */
export function find({ env }: Pick<Container, 'env'>, names: readonly string[]): Found | undefined {
  for (const name of names) {
    if ((env[name] ?? '') !== '') return { kind: 'variable', name };
    const variable = `${name}_FILE`;
    const path = env[variable] ?? '';
    if (path !== '') return { kind: 'file', path, variable };
  }
  return undefined;
}

/** The password that the options name. Throws LOGIN_FAILED for a variable that the container does not have. */
export function findNamed(
  container: Pick<Container, 'name' | 'env'>,
  options: { readonly 'password-env'?: string | undefined; readonly 'password-file'?: string | undefined },
  engine: string,
): Found | undefined {
  const path = options['password-file'];
  if (path !== undefined) return { kind: 'file', path };
  const name = options['password-env'];
  if (name === undefined) return undefined;
  if (container.env[name] !== undefined) return { kind: 'variable', name };
  throw new LifeboatError('LOGIN_FAILED', `container ${container.name} has no variable ${name}`, {
    hint: `lifeboat.${engine}.password-env must name a variable of that container`,
  });
}

/** The value, held in memory only; a file is read inside the container. Rejects LOGIN_FAILED when it cannot be. */
export async function readFound(shell: Shell, found: Found, signal: AbortSignal): Promise<string> {
  if (found.kind === 'variable') return shell.container.env[found.name] ?? '';
  const { path } = found;
  const finished = await shell.run({ argv: ['cat', '--', path], user: '0', timeoutMs: promptMs }, undefined, signal);
  // Its trailing newlines do not count, as for the official images.
  if (finished.exitCode === 0) return finished.stdout.replace(/\n+$/, '');
  const what = `the secret file ${path} in ${shell.container.name} cannot be read`;
  const said = finished.stderr.trim().slice(0, 300);
  throw new LifeboatError('LOGIN_FAILED', said === '' ? what : `${what}: ${said}`, {
    hint: 'give the service the secret that it names, or name another file or variable with .password-file or .password-env',
  });
}

/** The value as a shell inside the container finds it, so that no secret stands in a printed line. */
export function shellWord(found: Found): string {
  if (found.kind === 'variable') return `"$${found.name}"`;
  return `"$(cat ${found.variable ? `"$${found.variable}"` : shellQuote(found.path)})"`;
}
