import { LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Container } from '../../domain/types.ts';
import { type Found, find, findNamed, readFound } from '../credential.ts';
import type { MysqlOptions } from './options.ts';

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
  const named = findNamed(container, options, 'mysql');
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
  const user = typeof plan.user === 'string' ? plan.user : await readFound(shell, plan.user, signal);
  return { user, password: plan.password ? await readFound(shell, plan.password, signal) : '' };
}

/** What a client is given of it. */
export function environment(login: Login): Record<string, string> {
  // Not the container's own settings of a client: those are for its people, and may name another server.
  return { MYSQL_PWD: login.password, MYSQL_TEST_LOGIN_FILE: '/nonexistent', HOME: '/nonexistent', LC_ALL: 'C' };
}

function isSet(container: Container, name: string): boolean {
  return (container.env[name] ?? '') !== '';
}
