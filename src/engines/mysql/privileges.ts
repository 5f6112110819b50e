import type { MysqlClient } from './client.ts';
import { isSymbol, isWord, type Token, tokens } from './lexer.ts';
import { lines } from './rows.ts';

/** What our account may do, and where. */
export interface Privileges {
  /** True when the privilege holds for the whole server. */
  everywhere(privilege: string): boolean;
  /** True when it holds for the database. */
  on(database: string, privilege: string): boolean;
}

interface Grant {
  /** `*` for the whole server, else a pattern in which `%` and `_` are wild. */
  readonly scope: string;
  readonly names: ReadonlySet<string>;
}

export async function readPrivileges(client: MysqlClient, signal: AbortSignal): Promise<Privileges> {
  const printed = await client.run('SHOW GRANTS;', { signal });
  return privilegesOf(lines(printed).map(([grant]) => grant ?? ''));
}

/** From what SHOW GRANTS prints; both products include there what active roles allow. */
export function privilegesOf(grants: readonly string[]): Privileges {
  const held = grants.map(parse).filter((grant) => grant !== undefined);
  const has = (grant: Grant, privilege: string) => grant.names.has(privilege) || grant.names.has('ALL PRIVILEGES');
  return {
    everywhere: (privilege) => held.some((grant) => grant.scope === '*' && has(grant, privilege)),
    on: (database, privilege) =>
      held.some((grant) => (grant.scope === '*' || isLike(database, grant.scope)) && has(grant, privilege)),
  };
}

/** `GRANT SELECT, LOCK TABLES ON \`shop\`.* TO …`; undefined for grants of roles, of single objects and of proxies. */
function parse(grant: string): Grant | undefined {
  const found = [...tokens(grant)];
  const on = found.findIndex((token) => isWord(token, 'ON'));
  const [scope, dot, object] = found.slice(on + 1);
  if (on < 0 || !isSymbol(dot, '.') || !isSymbol(object, '*') || !scope) return undefined;
  return { scope: scope.value, names: new Set(privilegeNames(found.slice(1, on))) };
}

function privilegeNames(found: readonly Token[]): string[] {
  const list = found.map((token) => (isSymbol(token, ',') ? ',' : token.value.toUpperCase())).join(' ');
  return list.split(' , ');
}

function isLike(database: string, pattern: string): boolean {
  const source = pattern.replace(/\\?[\s\S]/g, (part) => {
    if (part === '%') return '.*';
    if (part === '_') return '.';
    return RegExp.escape(part.length > 1 ? part.slice(1) : part);
  });
  return new RegExp(`^${source}$`, 's').test(database);
}

/**
 * What a dump would leave out without a word because our account does not see it: the tool asks the server for routines,
 * events and triggers, and the server lists only those that the account may know of.
 */
export function blindSpots(database: string, privileges: Privileges, product: 'MySQL' | 'MariaDB'): string[] {
  const can = (...names: string[]) => names.some((name) => privileges.on(database, name));
  const seesDefinitions =
    product === 'MySQL'
      ? privileges.everywhere('SHOW_ROUTINE') || privileges.everywhere('SELECT')
      : privileges.on('mysql', 'SELECT') || can('SHOW CREATE ROUTINE');
  const blind: string[] = [];
  if (!seesDefinitions && !can('CREATE ROUTINE', 'ALTER ROUTINE', 'EXECUTE')) blind.push('routines');
  if (!can('TRIGGER')) blind.push('triggers');
  if (!can('EVENT')) blind.push('events');
  return blind;
}
