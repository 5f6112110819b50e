import { buffer } from 'node:stream/consumers';
import type { RestoreSource, RestoreSteps } from '../engine.ts';
import { type Account, listAccounts, parseAccounts, readAccounts } from './accounts.ts';
import { attempt } from './attempts.ts';
import type { MysqlClient } from './client.ts';
import type { Grant, GrantedObject } from './grants.ts';
import { accountName } from './sql.ts';

/** A grant that waits until its object is there. */
export interface WaitingGrant {
  readonly account: string;
  readonly statement: string;
  readonly object: GrantedObject;
}

export interface RestoredAccounts {
  readonly waiting: readonly WaitingGrant[];
  readonly warnings: readonly string[];
}

/**
 * Makes the accounts that this server lacks. Those that exist stay as they are: giving them back an old password would
 * lock the application out of its own database.
 */
export async function restoreAccounts(
  client: MysqlClient,
  from: RestoreSource,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<RestoredAccounts> {
  const artifact = from.manifest.artifacts.find(({ kind }) => kind === 'users');
  if (!artifact) return { waiting: [], warnings: ['users and grants are not in this backup'] };
  steps.staging('accounts');
  const accounts = parseAccounts(await buffer(await from.open(artifact, signal)));
  const existing = new Set((await listAccounts(client, signal)).map(nameOf));
  const missing = accounts.filter((account) => !existing.has(nameOf(account)));
  const warnings: string[] = [];
  const kept = accounts.filter((account) => existing.has(nameOf(account))).map(nameOf);
  if (kept.length > 0) warnings.push(`these accounts exist and keep their passwords and grants: ${kept.join(', ')}`);
  const creatable = missing.filter(({ create }) => create !== '');
  const refused = new Set<string>();
  for (const { index, said } of await attempt(
    client,
    creatable.map(({ create }) => create),
  )) {
    const name = nameOf(creatable[index] as Account);
    refused.add(name);
    warnings.push(`account ${name} was not made: ${said}`);
  }
  const made = missing.filter((account) => !refused.has(nameOf(account)));
  const grants = [
    ...made.flatMap(all),
    ...accounts.filter((account) => !made.includes(account)).flatMap((account) => ofRoles(account, made)),
  ];
  const atOnce = grants.filter(({ grant }) => !grant.object);
  warnings.push(
    ...(await give(
      client,
      atOnce.map(({ account, grant }) => ({ account, statement: grant.statement })),
    )),
  );
  const waiting = grants.flatMap(({ account, grant }) =>
    grant.object ? [{ account, statement: grant.statement, object: grant.object }] : [],
  );
  return { waiting, warnings };
}

/** Runs grants; returns a warning for each that was refused. */
export async function give(
  client: MysqlClient,
  grants: readonly { readonly account: string; readonly statement: string }[],
): Promise<string[]> {
  const failures = await attempt(
    client,
    grants.map(({ statement }) => statement),
  );
  return failures.map(({ index, said }) => `a grant to ${grants[index]?.account} was not given: ${said}`);
}

/** Grants on single routines: the server forgets them when a routine is dropped, also to be made again. */
export async function routineGrants(
  client: MysqlClient,
  databases: readonly string[],
): Promise<readonly WaitingGrant[]> {
  const { accounts } = await readAccounts(client);
  return accounts.flatMap((account) =>
    account.grants.flatMap(({ statement, object }) =>
      object?.kind === 'routine' && databases.includes(object.database)
        ? [{ account: nameOf(account), statement, object }]
        : [],
    ),
  );
}

function all(account: Account): { account: string; grant: Grant }[] {
  return account.grants.map((grant) => ({ account: nameOf(account), grant }));
}

/** An account that exists is given back the roles that were missing. */
function ofRoles(account: Account, made: readonly Account[]): { account: string; grant: Grant }[] {
  const isMade = (role: Grant['role']) =>
    role && made.some(({ user, host, isRole }) => isRole && user === role.user && host === role.host);
  return all(account).filter(({ grant }) => isMade(grant.role));
}

function nameOf({ user, host }: { readonly user: string; readonly host: string }): string {
  return host === '' ? accountName(user, '').replace(/@``$/, '') : accountName(user, host);
}
