import type { Container } from '../../domain/types.ts';
import { type Found, find, findNamed } from '../credential.ts';
import type { PostgresOptions } from './options.ts';

/** A role and where its name and password are found; nothing secret in it. */
export interface LoginPlan {
  readonly user: Found | string;
  /** Absent: the server may let us in without. */
  readonly password: Found | undefined;
}

/** As the options say, else as the role that the image made. */
export function planLogin(container: Container, options: PostgresOptions): LoginPlan {
  const user =
    options.user ?? find(container, ['POSTGRES_USER', 'POSTGRESQL_USERNAME', 'POSTGRESQL_USER']) ?? 'postgres';
  const passwords = ['POSTGRES_PASSWORD', 'POSTGRESQL_PASSWORD', 'PGPASSWORD'];
  return { user, password: findNamed(container, options, 'postgres') ?? find(container, passwords) };
}
