import { LifeboatError } from '../../domain/errors.ts';
import { shellQuote } from '../../domain/naming.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Container } from '../../domain/types.ts';
import { readSecretFile } from '../credential.ts';
import type { MysqlOptions } from './options.ts';

/** Where a value is found: in the container's environment, or in a file inside it. */
export type Found =
  | { readonly kind: 'variable'; readonly name: string }
  | { readonly kind: 'file'; readonly path: string; readonly variable?: string };

/** An account and where its name and password are found; nothing secret in it. */
export interface LoginPlan {
  readonly user: Found | string;
  /** Absent: it has none. */
  readonly password?: Found | undefined;
  readonly isRoot: boolean;
}

export interface Login {
  readonly user: string;
  readonly password: string;
}

const rootNames = ['MARIADB_ROOT_USER', 'MYSQL_ROOT_USER'];
const rootPasswords = ['MARIADB_ROOT_PASSWORD', 'MYSQL_ROOT_PASSWORD'];
const emptyAllowed = [
  'MARIADB_ALLOW_EMPTY_ROOT_PASSWORD',
  'MYSQL_ALLOW_EMPTY_PASSWORD',
  'MARIADB_ALLOW_EMPTY_PASSWORD',
  'ALLOW_EMPTY_PASSWORD',
];
const userNames = ['MARIADB_USER', 'MYSQL_USER'];
const userPasswords = ['MARIADB_PASSWORD', 'MYSQL_PASSWORD'];
const unknowable = [
  'MARIADB_ROOT_PASSWORD_HASH',
  'MYSQL_ROOT_PASSWORD_HASH',
  'MARIADB_RANDOM_ROOT_PASSWORD',
  'MYSQL_RANDOM_ROOT_PASSWORD',
];

/** How to log in: as the options say, else as root, else as the account that the image made. */
export function planLogin(container: Container, options: MysqlOptions): LoginPlan {
  const root = find(container, rootNames) ?? 'root';
  const rootPassword = find(container, rootPasswords);
  const named = optionPassword(container, options);
  const { user } = options;
  if (user !== undefined) {
    const isRoot = user === root || user === 'root';
    return { user, password: named ?? (isRoot ? rootPassword : find(container, userPasswords)), isRoot };
  }
  if (named) return { user: root, password: named, isRoot: true };
  if (rootPassword) return { user: root, password: rootPassword, isRoot: true };
  if (emptyAllowed.some((name) => isSet(container, name))) return { user: root, isRoot: true };
  const account = find(container, userNames);
  if (account) return { user: account, password: find(container, userPasswords), isRoot: false };
  const hidden = unknowable.find((name) => isSet(container, name) || isSet(container, `${name}_FILE`));
  if (hidden) {
    throw new LifeboatError('LOGIN_FAILED', `the root password of ${container.name} cannot be known from ${hidden}`, {
      hint: 'set lifeboat.mysql.user and lifeboat.mysql.password-env or .password-file on this service',
    });
  }
  return { user: root, isRoot: true };
}

/** Reads what the plan names. The values are held in memory only. */
export async function readLogin(shell: Shell, plan: LoginPlan, signal: AbortSignal): Promise<Login> {
  const value = async (found: Found) =>
    found.kind === 'variable' ? (shell.container.env[found.name] ?? '') : readSecretFile(shell, found.path, signal);
  const user = typeof plan.user === 'string' ? plan.user : await value(plan.user);
  return { user, password: plan.password ? await value(plan.password) : '' };
}

/** The value as a shell inside the container finds it, so that no secret stands in a printed line. */
export function shellWord(found: Found | string): string {
  if (typeof found === 'string') return shellQuote(found);
  if (found.kind === 'variable') return `"$${found.name}"`;
  return `"$(cat ${found.variable ? `"$${found.variable}"` : shellQuote(found.path)})"`;
}

function optionPassword(container: Container, options: MysqlOptions): Found | undefined {
  const path = options['password-file'];
  if (path !== undefined) return { kind: 'file', path };
  const name = options['password-env'];
  if (name === undefined) return undefined;
  if (container.env[name] !== undefined) return { kind: 'variable', name };
  throw new LifeboatError('LOGIN_FAILED', `container ${container.name} has no variable ${name}`, {
    hint: 'lifeboat.mysql.password-env must name a variable of that container',
  });
}

/** The first of the variables that the container has, by value or by its `_FILE` twin. */
function find(container: Container, names: readonly string[]): Found | undefined {
  for (const name of names) {
    if (isSet(container, name)) return { kind: 'variable', name };
    const variable = `${name}_FILE`;
    const path = container.env[variable];
    if (path !== undefined && path !== '') return { kind: 'file', path, variable };
  }
  return undefined;
}

function isSet(container: Container, name: string): boolean {
  return (container.env[name] ?? '') !== '';
}
