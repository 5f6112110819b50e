import { asText, isName, isSymbol, isWord, type Token, tokens } from './lexer.ts';

/** One line of SHOW GRANTS, understood. */
export interface Grant {
  /** The statement, without any password in it. */
  readonly statement: string;
  /** Absent: it needs no object to exist. */
  readonly object?: GrantedObject;
  /** The role it gives, when it gives one. */
  readonly role?: { readonly user: string; readonly host: string };
}

export interface GrantedObject {
  readonly kind: 'table' | 'routine';
  readonly database: string;
  readonly name: string;
}

/** Reads a line of SHOW GRANTS (text as people see it). */
export function understandGrant(line: string): Grant {
  // The lexer works on bytes; statements of grants come and go as text.
  const bytes = Buffer.from(line, 'utf8').toString('latin1');
  const found = [...tokens(bytes)];
  const statement = asText(withoutPassword(bytes, found));
  const on = found.findIndex((token) => isWord(token, 'ON'));
  const object = on < 0 ? undefined : objectAt(found.slice(on + 1));
  if (object) return { statement, object };
  const [first, role, at, host] = found;
  if (on >= 0 || !isWord(first, 'GRANT') || !isName(role)) return { statement };
  const hasHost = isSymbol(at, '@') && isName(host);
  return { statement, role: { user: asText(role.value), host: hasHost ? asText(host.value) : '' } };
}

/** What follows ON: `\`db\`.\`table\`` or `PROCEDURE \`db\`.\`name\``. */
function objectAt(found: readonly Token[]): GrantedObject | undefined {
  let rest = found;
  let kind: GrantedObject['kind'] = 'table';
  while (rest[0]?.kind === 'word') {
    if (isWord(rest[0], 'PROXY')) return undefined;
    if (isWord(rest[0], 'PROCEDURE', 'FUNCTION', 'PACKAGE', 'BODY', 'LIBRARY')) kind = 'routine';
    rest = rest.slice(1);
  }
  const [database, dot, name] = rest;
  if (!isName(database) || !isSymbol(dot, '.') || !isName(name)) return undefined;
  return { kind, database: asText(database.value), name: asText(name.value) };
}

/**
 * MariaDB repeats the password's hash in the grant, and granting would set it: an account that exists must keep its own.
 */
function withoutPassword(statement: string, found: readonly Token[]): string {
  const to = found.findIndex((token) => isWord(token, 'TO'));
  const from = found.findIndex((token, index) => index > to && isWord(token, 'IDENTIFIED'));
  if (to < 0 || from < 0) return statement;
  const after = found.findIndex((token, index) => index > from && isWord(token, 'REQUIRE', 'WITH'));
  const start = found[from]?.start ?? statement.length;
  const end = after < 0 ? statement.length : (found[after]?.start ?? statement.length);
  return (statement.slice(0, start).trimEnd() + (after < 0 ? '' : ' ') + statement.slice(end)).trimEnd();
}
