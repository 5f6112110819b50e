import { splitStatements } from './sql.ts';

interface Existing {
  readonly name: string;
  readonly kind: 'role' | 'tablespace';
}

/**
 * The statements of a `pg_dumpall --globals-only` script that make what this server lacks. Roles that exist stay as they
 * are: giving them back an old password would lock the application out of its own database.
 */
export function missingRoleStatements(
  script: string,
  existing: readonly Existing[],
): { statements: string[]; warnings: string[] } {
  const known = (kind: Existing['kind']) =>
    new Set(existing.filter((entry) => entry.kind === kind).map(({ name }) => name));
  const roles = known('role');
  const tablespaces = known('tablespace');
  const name = '("(?:[^"]|"")*"|[^\\s"]+)';
  const statements: string[] = [];
  const warnings: string[] = [];
  for (const statement of splitStatements(script)) {
    const role = new RegExp(`^(?:CREATE|ALTER) ROLE ${name}`).exec(statement)?.[1];
    if (role) {
      // Settings of a role for one database come back with that database.
      if (!roles.has(unquote(role)) && !/^ALTER ROLE \S+ IN DATABASE /.test(statement)) statements.push(statement);
      continue;
    }
    const member = new RegExp(`^GRANT ${name} TO ${name}(?: |$)`).exec(statement);
    if (member) {
      const isNew = [member[1], member[2]].some((part) => part !== undefined && !roles.has(unquote(part)));
      // The grantor may be a role that this server does not have as one; the membership counts.
      if (isNew) statements.push(statement.replace(new RegExp(` GRANTED BY ${name}$`), ''));
      continue;
    }
    const tablespace = new RegExp(`^CREATE TABLESPACE ${name}`).exec(statement)?.[1];
    if (tablespace && !tablespaces.has(unquote(tablespace))) {
      warnings.push(
        `tablespace ${unquote(tablespace)} does not exist on this server; make it first if a table needs it`,
      );
    }
  }
  return { statements, warnings };
}

function unquote(name: string): string {
  return name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
}
