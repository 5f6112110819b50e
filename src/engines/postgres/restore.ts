import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Counts, Manifest } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import { type Finished, isOnDisk, type Scratch } from '../../domain/shell.ts';
import {
  noLongerNeeded,
  type Restored,
  type RestorePreview,
  type RestoreSource,
  type RestoreSteps,
  type RestoreTarget,
} from '../engine.ts';
import { countObjects, countRows, createStatements, type DatabaseShape } from './catalogue.ts';
import { type PostgresClient, type PostgresConnection, withFile } from './client.ts';
import { missingRoleStatements } from './globals.ts';
import { whatIsLacking } from './lacking.ts';
import { keptName, stagedName } from './names.ts';
import type { SwitchUndo } from './recover.ts';
import { identifier, literal } from './sql.ts';

/** One database on its way back. */
interface Staged {
  readonly artifact: Artifact;
  readonly name: string;
  readonly target: string;
}

export async function preview(
  client: PostgresClient,
  manifest: Manifest,
  target: RestoreTarget,
  signal: AbortSignal,
): Promise<RestorePreview> {
  await using admin = await client.connect(await adminDatabase(client, [], signal), signal);
  const [server] = await admin.rows<{ major: number }>(
    "SELECT current_setting('server_version_num')::int / 10000 AS major",
  );
  const existing = new Set(
    (await admin.rows<{ name: string }>('SELECT datname AS name FROM pg_database')).map(({ name }) => name),
  );
  const chosen = databasesOf(manifest, target);
  const lines = chosen.map((artifact) => {
    const name = target.as ?? artifact.name;
    return existing.has(name)
      ? `replace database ${name} (the present one is kept beside it)`
      : `make database ${name}`;
  });
  const inBackup = new Set(chosen.map(({ name }) => name));
  const untouched = [...existing].filter((name) => !inBackup.has(name) && !name.startsWith('template'));
  if (untouched.length > 0 && !target.as) lines.push(`leave alone: ${untouched.join(', ')}`);
  const refusals: string[] = [];
  if (target.as && existing.has(target.as)) refusals.push(`database ${target.as} exists already`);
  const from = Number.parseInt(manifest.server.version, 10);
  if (server && from > server.major) {
    refusals.push(
      `the backup is of PostgreSQL ${manifest.server.version}, this server is version ${server.major}: older servers cannot read newer dumps`,
    );
  }
  const isNewer = server !== undefined && from < server.major;
  const lacking = await whatIsLacking(admin, chosen);
  return {
    lines,
    refusals: [...refusals, ...lacking.refusals],
    warnings: [
      ...(isNewer
        ? [`the backup is of PostgreSQL ${manifest.server.version}, this server is version ${server.major}`]
        : []),
      ...lacking.warnings,
    ],
  };
}

/**
 * Each database is loaded into a new one beside the live one and compared with the manifest; when all are good, all are
 * renamed in one transaction. Until then nothing that anybody uses has changed.
 */
export async function restore(
  client: PostgresClient,
  from: RestoreSource,
  target: RestoreTarget,
  steps: RestoreSteps,
  signal: AbortSignal,
  dropLine: (database: string) => string,
): Promise<Restored> {
  const chosen = databasesOf(from.manifest, target);
  if (target.as && chosen.length !== 1) {
    throw new LifeboatError(
      'USAGE',
      `--as needs exactly one database, this backup has ${chosen.map(({ name }) => name).join(', ')}`,
      {
        hint: 'choose one with --database',
      },
    );
  }
  const names = chosen.map(({ name }) => target.as ?? name);
  await using admin = await client.connect(await adminDatabase(client, names, signal), signal);
  const warnings = await restoreRoles(admin, from, steps, signal);
  const isToolNewer = await needsTolerance(client, admin, signal);
  const staged: Staged[] = [];
  const checks: string[] = [];
  try {
    for (const [number, artifact] of chosen.entries()) {
      const entry = { artifact, name: stagedName(target.suffix, number), target: target.as ?? artifact.name };
      staged.push(entry);
      await stage(client, admin, entry, from, isToolNewer, steps, signal);
      steps.checking(`database ${artifact.name}`);
      checks.push(await compare(client, entry, signal));
    }
  } catch (error) {
    await dropAll(admin, staged);
    throw error;
  }
  const replaced = await switchOver(admin, staged, target.suffix, steps);
  return {
    checks,
    warnings,
    kept: replaced.map(
      ({ database, kept }) => `the previous ${database} is kept as ${kept}; ${noLongerNeeded(dropLine(kept))}`,
    ),
  };
}

async function restoreRoles(
  admin: PostgresConnection,
  from: RestoreSource,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<string[]> {
  const globals = from.manifest.artifacts.find(({ kind }) => kind === 'globals');
  if (!globals) return [];
  steps.staging('roles');
  const script = await text(await from.open(globals, signal));
  const existing = await admin.rows<{ name: string; kind: 'role' | 'tablespace' }>(
    `SELECT rolname AS name, 'role' AS kind FROM pg_roles UNION ALL SELECT spcname, 'tablespace' FROM pg_tablespace`,
  );
  const missing = missingRoleStatements(script, existing);
  await admin.execute('BEGIN');
  for (const statement of missing.statements) await admin.execute(statement);
  await admin.execute('COMMIT');
  return missing.warnings;
}

async function stage(
  client: PostgresClient,
  admin: PostgresConnection,
  entry: Staged,
  from: RestoreSource,
  isToolNewer: boolean,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<void> {
  const { shape } = entry.artifact.facts as { shape: DatabaseShape };
  const make = async () => {
    for (const statement of createStatements(entry.name, shape, literal)) await admin.execute(statement, signal);
  };
  await make();
  const plain = await from.open(entry.artifact, signal);
  // Each job would meet the setting that an older server does not know.
  if (isOnDisk(plain) && !isToolNewer) {
    steps.staging(`database ${entry.artifact.name} by ${jobs} jobs at once`);
    if (await loadFile(client, entry, plain.scratch, signal)) return;
    // Some of its jobs may have got in before another was refused.
    await dropAll(admin, [entry]);
    await make();
  }
  steps.staging(`database ${entry.artifact.name}`);
  await loadStream(client, entry, plain, isToolNewer, signal);
}

/** Jobs that load one database at once; more hardly help and take connections from others. */
const jobs = Math.min(availableParallelism(), 4);

/**
 * Loads the archive by several jobs in a helper on the server's network. False when no helper can be made, or one of the
 * jobs cannot log in. No other server can be meant by mistake: only this one has a database of the staged name.
 */
async function loadFile(
  client: PostgresClient,
  entry: Staged,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<boolean> {
  const argv = ['pg_restore', '--exit-on-error', '--no-password', `--jobs=${jobs}`, `--dbname=${entry.name}`] as const;
  const command = withFile(client.nearby(argv, entry.name), scratch);
  const finished = await client.shell.run(command, undefined, signal).catch(() => signal.throwIfAborted());
  if (!finished || /connection to server .* failed/.test(finished.stderr)) return false;
  if (finished.exitCode !== 0) throw loadFailed(entry, finished);
  return true;
}

async function loadStream(
  client: PostgresClient,
  entry: Staged,
  plain: Readable,
  isToolNewer: boolean,
  signal: AbortSignal,
): Promise<void> {
  const strictly = isToolNewer ? [] : ['--exit-on-error', '--single-transaction'];
  const argv = ['pg_restore', ...strictly, '--no-password', `--dbname=${entry.name}`] as const;
  const finished = await client.shell.run(client.command(argv, entry.name), plain, signal);
  const isGood = finished.exitCode === 0 || (isToolNewer && isUnknownSettingAlone(finished.stderr));
  if (!isGood) throw loadFailed(entry, finished);
  await pipeline(plain, async (rest: AsyncIterable<Buffer>) => {
    for await (const _ of rest)
      throw new LifeboatError('RESTORE_FAILED', 'pg_restore did not read the dump to its end');
  }).catch((error: unknown) => {
    if (error instanceof LifeboatError) throw error; // The digest check of the source, or ours; a closed stream is fine.
  });
}

/**
 * From 17 on pg_restore begins with a setting that older servers do not know, and has no option to leave it out. Such a
 * pair, which `tools-image` makes possible, is run without stopping at the first error, and that must be the only one.
 */
async function needsTolerance(
  client: PostgresClient,
  admin: PostgresConnection,
  signal: AbortSignal,
): Promise<boolean> {
  const [server] = await admin.rows<{ major: number }>(
    "SELECT current_setting('server_version_num')::int / 10000 AS major",
  );
  const tool = Number.parseInt(await client.toolVersion('pg_restore', signal), 10);
  return tool >= 17 && (server?.major ?? 0) < 17;
}

function isUnknownSettingAlone(stderr: string): boolean {
  return (
    /unrecognized configuration parameter "transaction_timeout"/.test(stderr) &&
    /^pg_restore: warning: errors ignored on restore: 1$/m.test(stderr)
  );
}

function loadFailed({ artifact }: Staged, { stderr }: Finished): LifeboatError {
  const said = stderr.trim().split('\n').slice(-3).join(' | ');
  return new LifeboatError('RESTORE_FAILED', `pg_restore failed for database ${artifact.name}: ${said}`, {
    hint: 'the live database was not touched',
  });
}

/** The staged database must hold what was counted when it was dumped. */
async function compare(client: PostgresClient, entry: Staged, signal: AbortSignal): Promise<string> {
  await using connection = await client.connect(entry.name, signal);
  await connection.execute('ANALYZE', signal);
  await connection.execute('BEGIN ISOLATION LEVEL REPEATABLE READ, READ ONLY');
  const expectedRows = entry.artifact.counts.find((counts) => counts.how === 'exact');
  const expectedObjects = entry.artifact.counts.find(
    (counts) => counts.how === 'catalogue' && 'tables' in counts.objects,
  );
  const found: Counts[] = [await countObjects(connection)];
  if (expectedRows) {
    const rows = await countRows(connection, undefined);
    found.push({
      how: 'exact',
      objects: Object.fromEntries(Object.entries(rows.objects).map(([table, count]) => [`rows of ${table}`, count])),
    });
  }
  const restored: Record<string, number> = Object.assign({}, ...found.map(({ objects }) => objects));
  const expected: Record<string, number> = { ...expectedObjects?.objects, ...expectedRows?.objects };
  const differing = Object.entries(expected).filter(([what, count]) => restored[what] !== count);
  if (differing.length > 0) {
    const detail = differing.slice(0, 5).map(([what, count]) => `${what}: ${restored[what] ?? 0} instead of ${count}`);
    throw new LifeboatError(
      'RESTORE_FAILED',
      `the restored copy of ${entry.artifact.name} differs from the backup: ${detail.join(', ')}`,
      {
        hint: 'the live database was not touched',
      },
    );
  }
  const rows = Object.values(expectedRows?.objects ?? {}).reduce((sum, count) => sum + count, 0);
  const tables = expectedObjects?.objects.tables ?? 0;
  return `${entry.artifact.name}: ${many(tables, 'table')}${expectedRows ? `, ${many(rows, 'row')}` : ''} as in the backup`;
}

async function switchOver(
  admin: PostgresConnection,
  staged: readonly Staged[],
  suffix: string,
  steps: RestoreSteps,
): Promise<{ database: string; kept: string }[]> {
  const existing = new Set(
    (await admin.rows<{ name: string }>('SELECT datname AS name FROM pg_database')).map(({ name }) => name),
  );
  const replaced = staged
    .filter(({ target }) => existing.has(target))
    .map(({ target }) => ({ database: target, kept: keptName(target, suffix) }));
  const undo: SwitchUndo = { replaced };
  await steps.switching(staged.map(({ target }) => target).join(', '), undo);
  try {
    for (const { database } of replaced) {
      await admin.execute(`ALTER DATABASE ${identifier(database)} WITH ALLOW_CONNECTIONS false`);
      await disconnectAll(admin, database);
    }
    await admin.execute('BEGIN');
    for (const { database, kept } of replaced)
      await admin.execute(`ALTER DATABASE ${identifier(database)} RENAME TO ${identifier(kept)}`);
    for (const { name, target } of staged)
      await admin.execute(`ALTER DATABASE ${identifier(name)} RENAME TO ${identifier(target)}`);
    await admin.execute('COMMIT');
  } catch (error) {
    await admin.execute('ROLLBACK');
    for (const { database } of replaced)
      await admin.execute(`ALTER DATABASE ${identifier(database)} WITH ALLOW_CONNECTIONS true`);
    await dropAll(admin, staged);
    throw error;
  }
  return replaced;
}

/** No connection may be open to a database that is renamed. New ones are refused already; old ones need a moment to die. */
async function disconnectAll(admin: PostgresConnection, database: string): Promise<void> {
  const sessions = `FROM pg_stat_activity WHERE datname = ${literal(database)} AND pid <> pg_backend_pid()`;
  for (let attempt = 0; attempt < 50; attempt += 1) {
    const rows = await admin.rows(`SELECT pg_terminate_backend(pid), pg_sleep(0.1) ${sessions}`);
    if (rows.length === 0) return;
  }
  throw new LifeboatError('RESTORE_FAILED', `connections to database ${database} do not end`, {
    hint: 'stop the services that use it and restore again',
  });
}

async function dropAll(admin: PostgresConnection, staged: readonly Staged[]): Promise<void> {
  for (const { name } of staged) await admin.execute(`DROP DATABASE IF EXISTS ${identifier(name)} WITH (FORCE)`);
}

/** A database to be connected to while others are renamed: none of those. */
export async function adminDatabase(
  client: PostgresClient,
  renamed: readonly string[],
  signal: AbortSignal,
): Promise<string> {
  const failures: unknown[] = [];
  for (const name of ['postgres', 'template1', client.user].filter((candidate) => !renamed.includes(candidate))) {
    try {
      await using _connection = await client.connect(name, signal);
      return name;
    } catch (error) {
      failures.push(error);
    }
  }
  throw failures[0];
}

function databasesOf(manifest: Manifest, target: RestoreTarget): Artifact[] {
  const databases = manifest.artifacts.filter(({ kind }) => kind === 'database');
  if (!target.only) return databases;
  const known = new Set(databases.map(({ name }) => name));
  const unknown = target.only.filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw new LifeboatError('BACKUP_NOT_FOUND', `this backup has no database ${unknown.join(', ')}`, {
      hint: `it has: ${[...known].join(', ')}`,
    });
  }
  return databases.filter(({ name }) => target.only?.includes(name));
}
