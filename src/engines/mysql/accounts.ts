import { notWholeHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { MysqlClient } from './client.ts';
import { type Grant, understandGrant } from './grants.ts';
import { asText } from './lexer.ts';
import { lines } from './rows.ts';
import { SqlScanner } from './scanner.ts';
import { accountName, identifier } from './sql.ts';

/** A user or a role. */
export interface Account {
  readonly user: string;
  readonly host: string;
  readonly isRole: boolean;
  /** The statement that makes it; does nothing where it exists. */
  readonly create: string;
  readonly grants: readonly Grant[];
}

/** Accounts that every server of the product makes for itself. */
const own = /^(?:mysql\.|mariadb\.|percona\.)/;

/**
 * All accounts with their grants, roles first. The same way for both products: `mariadb-dump --system=users` writes
 * statements that replace accounts, and mysqldump has nothing of the kind before version 9.
 */
export async function readAccounts(
  client: MysqlClient,
  signal?: AbortSignal,
): Promise<{ readonly accounts: readonly Account[]; readonly unreadable: readonly string[] }> {
  const listed = (await listAccounts(client, signal)).filter(({ user }) => !own.test(user));
  const setting = client.server.product === 'MySQL' ? 'SET SESSION print_identified_with_as_hex = ON;\n' : '';
  const questions = listed.map(({ user, host, isRole, isPublic }, index) => {
    const name = client.server.product === 'MariaDB' && isRole ? identifier(user) : accountName(user, host);
    const create = isRole && client.server.product === 'MariaDB' ? '' : `SHOW CREATE USER ${name};\n`;
    return `SELECT '${separator}', ${index};\n${create}SHOW GRANTS FOR ${isPublic ? 'PUBLIC' : name};\n`;
  });
  // An account that the server ignores (a host name under skip-name-resolve) has no grants to show.
  const printed = await client.run(setting + questions.join(''), { tolerant: true, signal });
  const accounts: Account[] = [];
  const unreadable: string[] = [];
  for (const [number, ...rows] of sections(lines(printed))) {
    const account = listed[Number(number)];
    if (!account) continue;
    const read = assemble(account, rows, client.server.product);
    if (read) accounts.push(read);
    else unreadable.push(accountName(account.user, account.host));
  }
  return { accounts: accounts.sort((a, b) => Number(b.isRole) - Number(a.isRole)), unreadable };
}

const separator = 'lifeboat-account';

interface Listed {
  readonly user: string;
  readonly host: string;
  readonly isRole: boolean;
  /** MariaDB's role that everybody has; it cannot be made. */
  readonly isPublic: boolean;
}

/** Names of all accounts. */
export async function listAccounts(client: MysqlClient, signal?: AbortSignal): Promise<readonly Listed[]> {
  const isRole =
    client.server.product === 'MariaDB'
      ? "is_role = 'Y'"
      : 'EXISTS (SELECT 1 FROM mysql.role_edges r WHERE r.FROM_USER = u.User AND r.FROM_HOST = u.Host)';
  const columns = { user: 'u.User', host: 'u.Host', role: isRole };
  const rows = await client.rows<{ user: string; host: string; role: unknown }>(
    columns,
    'FROM mysql.user u ORDER BY u.User, u.Host',
    signal,
  );
  return rows.map(({ user, host, role }) => {
    const isPublic = client.server.product === 'MariaDB' && host === '' && user.toUpperCase() === 'PUBLIC';
    return { user, host, isRole: Boolean(Number(role)), isPublic };
  });
}

function* sections(rows: readonly string[][]): Generator<string[]> {
  let section: string[] | undefined;
  for (const [first = '', second] of rows) {
    if (first === separator && second !== undefined) {
      if (section) yield section;
      section = [second];
    } else {
      section?.push(first);
    }
  }
  if (section) yield section;
}

function assemble(account: Listed, rows: readonly string[], product: string): Account | undefined {
  const { user, host, isRole, isPublic } = account;
  if (product === 'MariaDB' && isRole) {
    const create = isPublic ? '' : `CREATE ROLE IF NOT EXISTS ${identifier(user)}`;
    return { user, host, isRole, create, grants: rows.map(understandGrant) };
  }
  const [created = '', ...grants] = rows;
  if (!created.startsWith('CREATE USER ') || grants.length === 0) return undefined;
  const create = created.replace(/^CREATE USER /, 'CREATE USER IF NOT EXISTS ');
  return { user, host, isRole, create, grants: grants.map(understandGrant) };
}

const heading = '-- account ';
const ending = (count: number) => `-- Lifeboat: end of ${count} accounts`;

/** The artifact: SQL that a person can run as it is, with a comment before each account that tells whose it is. */
export function accountsScript(accounts: readonly Account[], about: string): string {
  const blocks = accounts.map(({ user, host, isRole, create, grants }) => {
    const statements = [create, ...grants.map(({ statement }) => statement)].filter((statement) => statement !== '');
    return `${heading}${JSON.stringify({ user, host, isRole })}\n${statements.map((each) => `${each};\n`).join('')}`;
  });
  return `-- Lifeboat: accounts of ${about}\n\n${blocks.join('\n')}\n${ending(accounts.length)}\n`;
}

/** Reads the artifact; rejects PROOF_FAILED when it is not whole. */
export function parseAccounts(script: Buffer): Account[] {
  const scanner = new SqlScanner();
  const blocks: { heading: string; statements: string[] }[] = [];
  let statement = '';
  let last = '';
  for (const piece of [...scanner.scan(script), ...scanner.end()]) {
    if (piece.kind === 'comment') {
      last = piece.text;
      if (last.startsWith(heading)) blocks.push({ heading: last.slice(heading.length), statements: [] });
    } else {
      last = '';
      statement += piece.bytes.toString('latin1');
      if (!piece.isLast) continue;
      blocks.at(-1)?.statements.push(asText(statement));
      statement = '';
    }
  }
  if (!scanner.isAtRest || last !== ending(blocks.length) || scanner.lastByte !== 10) {
    throw new LifeboatError('PROOF_FAILED', 'the dump of accounts has no end marker, so it is cut', {
      hint: notWholeHint,
    });
  }
  return blocks.map((block) => {
    const { user, host, isRole } = JSON.parse(block.heading) as Account;
    const [create = '', ...grants] = block.statements[0]?.startsWith('CREATE ')
      ? block.statements
      : ['', ...block.statements];
    return { user, host, isRole, create, grants: grants.map(understandGrant) };
  });
}
