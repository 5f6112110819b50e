import { LifeboatError } from '../../domain/errors.ts';
import { halfDone } from '../half-done.ts';
import { routineGrants, type WaitingGrant } from './account-restore.ts';
import { readCatalogue } from './catalogue.ts';
import type { MysqlClient } from './client.ts';
import { makeCode } from './code.ts';
import { shapeClause } from './database.ts';
import { repointForeignKeys } from './foreign-keys.ts';
import { dropStatements, type Live, replaceable } from './live.ts';
import { patiently } from './patience.ts';
import { sequenceDefaults } from './sequences.ts';
import { identifier, qualified } from './sql.ts';
import { checkTarget, dropDatabases, type Staged } from './staging.ts';

/** A staged database and the live one it replaces. */
export interface Exchange {
  readonly staged: Staged;
  readonly live: Live;
}

/** What is needed to take an exchange back. */
interface Replacement {
  readonly staged: Pick<Staged, 'staging' | 'target' | 'tables' | 'facts'>;
  readonly live: Live;
}

/** What is needed to take a switch back; the journal keeps it as JSON. */
export interface SwitchUndo {
  readonly exchanges: readonly Replacement[];
  /** Grants that are lost with the routines they are for. */
  readonly lost: readonly WaitingGrant[];
}

export async function undoOf(client: MysqlClient, exchanges: readonly Exchange[]): Promise<SwitchUndo> {
  const lost = await routineGrants(
    client,
    exchanges.map(({ live }) => live.database),
  );
  return {
    exchanges: exchanges.map(({ staged: { staging, target, tables, facts }, live }) => ({
      staged: { staging, target, tables, facts },
      live,
    })),
    lost,
  };
}

export interface Switched {
  readonly checks: readonly string[];
  readonly warnings: readonly string[];
}

/**
 * Puts the staged databases in the place of the live ones. All tables of all databases change places in one RENAME, which
 * the server does wholly or not at all; nobody ever sees half of it. Around it the views, routines, triggers and events of
 * the live databases are missing, for as long as it takes to make those of the backup. When anything fails, all is put
 * back as it was.
 */
export async function switchOver(
  client: MysqlClient,
  exchanges: readonly Exchange[],
  waiting: readonly WaitingGrant[],
  { lost }: SwitchUndo,
): Promise<Switched> {
  const targets = exchanges.map(({ live }) => live.database);
  const defaults = await sequenceDefaults(
    client,
    exchanges.map(({ staged }) => staged),
  );
  await prepare(client, exchanges);
  try {
    const drops = exchanges.map(({ live }) => dropStatements(live.database, live.codeObjects));
    await patiently(client, targets, drops.join(''));
    await patiently(client, targets, rename(exchanges.flatMap(toLive)));
    const shapes = exchanges.map(({ staged }) => ({ database: staged.target, shape: staged.facts.shape }));
    await client.run(shapes.map(shapeStatement).join('') + defaults);
    const putAside = new Map(exchanges.map(({ live }) => [live.kept, live.database]));
    const repointed = await repointForeignKeys(client, putAside);
    const made = exchanges.map(({ staged }) => ({
      database: staged.target,
      code: staged.code,
      shape: staged.facts.shape,
      isCopy: staged.target !== staged.artifact.name,
    }));
    const { warnings, missingViews } = await makeCode(client, made, [...waiting, ...lost]);
    const checks: string[] = [];
    for (const { staged } of exchanges) checks.push(await checkTarget(client, staged, missingViews));
    const unchecked = [...new Set(repointed)].map(
      (table) => `rows of ${table} were not checked for what they refer to`,
    );
    return { checks, warnings: [...warnings, ...unchecked] };
  } catch (error) {
    await undoSwitch(client, { exchanges, lost }, error);
    throw new LifeboatError('RESTORE_FAILED', `the switch failed and was undone: ${messageOf(error)}`, {
      hint: 'the live databases are as they were before: repair what the message names and restore again',
      cause: error,
    });
  }
}

/** New databases beside the live ones: to hold what is replaced, and to be the target where there is none. */
async function prepare(client: MysqlClient, exchanges: readonly Exchange[]): Promise<void> {
  const made = exchanges.flatMap(({ staged, live }) => [
    ...(live.tables.length > 0 ? [[live.kept, live.shape ?? staged.facts.shape] as const] : []),
    ...(live.shape ? [] : [[live.database, staged.facts.shape] as const]),
  ]);
  try {
    const statements = made.map(([name, shape]) => `CREATE DATABASE ${identifier(name)} ${shapeClause(shape)};\n`);
    await client.run(statements.join(''));
  } catch (error) {
    await dropEmpty(
      client,
      made.map(([name]) => name),
    );
    throw error;
  }
}

/** Never drops a database with a table in it. */
async function dropEmpty(client: MysqlClient, names: readonly string[]): Promise<void> {
  for (const name of names) {
    const objects = await readCatalogue(client, name);
    if (!objects.some(({ kind }) => kind === 'table' || kind === 'sequence')) await dropDatabases(client, [name]);
  }
}

type Move = readonly [from: string, to: string, table: string];

function toLive({ staged, live }: Replacement): Move[] {
  return [
    ...live.tables.map(({ name }): Move => [live.database, live.kept, name]),
    ...staged.tables.map(({ name }): Move => [staged.staging, live.database, name]),
  ];
}

function rename(moves: readonly Move[]): string {
  if (moves.length === 0) return '';
  const parts = moves.map(([from, to, table]) => `${qualified(from, table)} TO ${qualified(to, table)}`);
  return `SET FOREIGN_KEY_CHECKS = 0;\nRENAME TABLE ${parts.join(',\n  ')};`;
}

function shapeStatement({ database, shape }: { database: string; shape: Staged['facts']['shape'] }): string {
  return `ALTER DATABASE ${identifier(database)} ${shapeClause(shape)};\n`;
}

async function undoSwitch(client: MysqlClient, undo: SwitchUndo, cause: unknown): Promise<void> {
  try {
    await rollBack(client, undo);
  } catch (error) {
    const kept = undo.exchanges.map(({ live }) => live.kept).join(', ');
    throw halfDone(`the switch failed, and so did undoing it: ${messageOf(error)}`, {
      hint: `restore the safety backup that was made before this restore; the tables from before may be in ${kept}`,
      cause: new AggregateError([cause, error]),
    });
  }
}

/** Puts everything back as it was before the switch, however far that came; doing it twice does no harm. */
export async function rollBack(client: MysqlClient, { exchanges, lost }: SwitchUndo): Promise<void> {
  const targets = exchanges.map(({ live }) => live.database);
  for (const { staged, live } of exchanges) {
    const { codeObjects } = replaceable(await readCatalogue(client, live.database), staged.facts.excluded);
    const drops = dropStatements(live.database, codeObjects);
    // What cannot be dropped must not keep the tables from going back.
    await patiently(client, targets, drops).catch(() => client.run(drops, { tolerant: true }));
  }
  if (await isSwitched(client, exchanges)) {
    const back = exchanges
      .flatMap(toLive)
      .map(([from, to, table]): Move => [to, from, table])
      .reverse();
    await patiently(client, targets, rename(back));
  }
  await repointForeignKeys(client, new Map(exchanges.map(({ staged }) => [staged.staging, staged.target])));
  const existed = exchanges.flatMap(({ live: { database, code, shape } }) =>
    shape ? [{ database, code, shape, isCopy: false }] : [],
  );
  await client.run(existed.map(shapeStatement).join(''));
  await makeCode(client, existed, lost);
  await dropEmpty(
    client,
    exchanges.flatMap(({ live }) => (live.shape ? [live.kept] : [live.kept, live.database])),
  );
}

/** The tables moved all together or not at all: one of them tells. */
export async function isSwitched(client: MysqlClient, exchanges: readonly Replacement[]): Promise<boolean> {
  const [move] = exchanges.flatMap(toLive);
  if (!move) return false;
  const [, to, table] = move;
  return (await readCatalogue(client, to)).some(({ name }) => name === table);
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
