import { Readable } from 'node:stream';
import { untouchedHint } from '../../domain/advice.ts';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import { withCleanup } from '../cleanup.ts';
import type { RestoreSource } from '../engine.ts';
import { type CatalogueObject, isElsewhere, readCatalogue } from './catalogue.ts';
import type { MysqlClient } from './client.ts';
import { notThere } from './code.ts';
import { countKinds, countRows, isKind, rowsOf } from './counts.ts';
import { shapeClause } from './database.ts';
import type { DatabaseFacts } from './dump.ts';
import { longestStatement } from './dump-reader.ts';
import { isRefusal } from './refusal.ts';
import { type CodeStatement, codeScript, DumpSplitter } from './split.ts';
import { identifier, qualified } from './sql.ts';

/** One database on its way back. */
export interface Staged {
  readonly artifact: Artifact;
  readonly facts: DatabaseFacts;
  /** The database its tables were loaded into. */
  readonly staging: string;
  /** The database they are for. */
  readonly target: string;
  readonly tables: readonly CatalogueObject[];
  readonly code: readonly CodeStatement[];
}

/** Loads the tables of one database beside the live one. */
export async function stage(
  client: MysqlClient,
  artifact: Artifact,
  staging: string,
  target: string,
  from: RestoreSource,
  signal: AbortSignal,
): Promise<Staged> {
  const facts = artifact.facts as unknown as DatabaseFacts;
  await client.run(`CREATE DATABASE ${identifier(staging)} ${shapeClause(facts.shape)};`, { signal });
  const splitter = new DumpSplitter(artifact.name, staging);
  const plain = await from.open(artifact, signal);
  const tables = Readable.from(splitter.tables(plain), { objectMode: false });
  let broken: unknown;
  tables.on('error', (error) => {
    broken = error;
  });
  try {
    await client.load(tables, staging, signal);
  } catch (error) {
    throw broken ?? loadFailed(artifact.name, error);
  } finally {
    plain.destroy();
  }
  const objects = await readCatalogue(client, staging, signal);
  return { artifact, facts, staging, target, tables: objects, code: splitter.code };
}

/**
 * The staged copy must hold what was read in the dump when it was made: each table with as many rows. Then its routines
 * and triggers are made there once, so that what this server refuses is refused before anything live is touched.
 */
export async function check(client: MysqlClient, staged: Staged, signal: AbortSignal): Promise<string> {
  const { artifact, staging, tables } = staged;
  const rows = await countRows(
    client,
    staging,
    tables.filter(({ kind, engine }) => kind === 'table' && !isElsewhere(engine)),
    signal,
  );
  const expected = dumped(artifact);
  for (const { name, engine } of tables) if (isElsewhere(engine)) delete expected[rowsOf(name)];
  const found: Record<string, number> = { ...countKinds(tables), ...rows };
  const isOfTables = ([what]: [string, number]) => /^(?:tables|sequences|rows of .*)$/s.test(what);
  mustAgree(artifact.name, Object.entries(expected).filter(isOfTables), found);
  await rehearse(client, staged, signal);
  const total = Object.values(rows).reduce((sum, count) => sum + count, 0);
  return `${artifact.name}: ${many(tables.filter(({ kind }) => kind === 'table').length, 'table')}, ${many(total, 'row')} as in the backup`;
}

/** The finished database must have every table, view, routine, trigger and event that the dump makes, and no other. */
export async function checkTarget(
  client: MysqlClient,
  { artifact, facts, target }: Staged,
  missingViews: number,
): Promise<string> {
  const left = new Set(facts.excluded);
  const objects = await readCatalogue(client, target);
  const ours = objects.filter(({ name, kind, table }) => !left.has(kind === 'trigger' ? (table ?? '') : name));
  const found: Record<string, number> = countKinds(ours);
  found.views = (found.views ?? 0) + missingViews;
  mustAgree(artifact.name, kindsOf(dumped(artifact)), found);
  const code = ours.filter(({ kind }) => kind !== 'table' && kind !== 'sequence').length;
  return `${artifact.name}: ${code} views, routines, triggers and events as in the backup`;
}

function dumped(artifact: Artifact): Record<string, number> {
  return Object.assign({}, ...artifact.counts.filter(({ how }) => how === 'dump').map(({ objects }) => objects));
}

function kindsOf(counts: Record<string, number>): [string, number][] {
  return Object.entries(counts).filter(([what]) => isKind(what));
}

function mustAgree(
  database: string,
  expected: readonly (readonly [string, number])[],
  found: Record<string, number>,
): void {
  const differing = expected.filter(([what, count]) => (found[what] ?? 0) !== count);
  if (differing.length === 0) return;
  const detail = differing.slice(0, 5).map(([what, count]) => `${what}: ${found[what] ?? 0} instead of ${count}`);
  throw new LifeboatError(
    'RESTORE_FAILED',
    `the restored copy of ${database} differs from the backup: ${detail.join(', ')}`,
    { hint: untouchedHint },
  );
}

async function rehearse(client: MysqlClient, staged: Staged, signal: AbortSignal): Promise<void> {
  const { artifact, facts, staging, code } = staged;
  if (code.length === 0) return;
  const make = async (...kinds: string[]) => {
    const place = { database: staging, defaults: shapeClause(facts.shape), isCopy: true };
    const script = codeScript(
      code.filter(({ kind }) => kinds.includes(kind)),
      place,
    );
    await client.load(script, staging, signal);
  };
  const skipped = new Set(['events']); // An event would run.
  try {
    await make('library', 'procedure', 'function', 'package', 'package body', 'trigger');
    await make('placeholder', 'view').catch((error: unknown) => {
      // A view may name another database that is not there yet, or its own by a name that is another one here.
      if (!isRefusal(error, ...notThere)) throw error;
      skipped.add('views');
    });
  } catch (error) {
    throw loadFailed(artifact.name, error);
  }
  const objects = await readCatalogue(client, staging, signal);
  const expected = kindsOf(dumped(artifact)).filter(([what]) => !skipped.has(what));
  mustAgree(artifact.name, expected, countKinds(objects));
  // Tables with triggers cannot be moved to another database.
  const triggers = objects.filter(({ kind }) => kind === 'trigger');
  await client.run(triggers.map(({ name }) => `DROP TRIGGER ${qualified(staging, name)};`).join('\n'), { signal });
}

function loadFailed(database: string, error: unknown): unknown {
  if (!isLifeboatError(error, 'COMMAND_FAILED')) return error;
  return new LifeboatError('RESTORE_FAILED', `database ${database} cannot be loaded: ${error.message}`, {
    hint: untouchedHint,
    cause: error,
  });
}

/** Drops what a restore made beside the live data. */
export async function dropDatabases(client: MysqlClient, names: readonly string[]): Promise<void> {
  const drops = names.map((name) => `DROP DATABASE IF EXISTS ${identifier(name)};`);
  await client.run(`SET FOREIGN_KEY_CHECKS = 0;\n${drops.join('\n')}`);
}

/**
 * A row that fits into one packet may not fit as SQL, where each byte of a blob takes two: for the time of the load the
 * server takes longer statements, when it must.
 */
export async function withLongStatements<T>(
  client: MysqlClient,
  artifacts: readonly Artifact[],
  work: () => Promise<T>,
): Promise<T> {
  const needed = Math.max(0, ...artifacts.map((artifact) => dumped(artifact)[longestStatement] ?? 0)) + 1024;
  const { maxPacket } = client.server;
  if (needed <= maxPacket) return work();
  const set = async (bytes: number) => void (await client.run(`SET GLOBAL max_allowed_packet = ${bytes};`));
  await set(Math.min(1024 ** 3, Math.ceil(needed / 1024) * 1024));
  return withCleanup(work, () => set(maxPacket));
}
