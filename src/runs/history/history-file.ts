import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';

/** SQLite's own words for a file that is damaged, or no database at all. */
const damageCodes = new Set([11, 26]);

/** Each entry brings the file from its index to the next version (`PRAGMA user_version`). Never change one: add. */
const migrations = [
  `CREATE TABLE runs (
     id TEXT PRIMARY KEY, trigger TEXT NOT NULL, sources TEXT NOT NULL,
     started_at TEXT NOT NULL, finished_at TEXT, result TEXT, error TEXT
   ) STRICT;
   CREATE TABLE attempts (
     run TEXT NOT NULL, stack TEXT NOT NULL, source TEXT NOT NULL,
     started_at TEXT NOT NULL, finished_at TEXT, result TEXT, body TEXT,
     PRIMARY KEY (run, stack, source)
   ) STRICT;
   CREATE INDEX attempts_by_source ON attempts (stack, source, started_at);
   CREATE TABLE events (seq INTEGER PRIMARY KEY, run TEXT NOT NULL, body TEXT NOT NULL) STRICT;
   CREATE INDEX events_by_run ON events (run);
   CREATE TABLE schedules (
     stack TEXT NOT NULL, source TEXT NOT NULL, schedule TEXT NOT NULL, since TEXT NOT NULL,
     PRIMARY KEY (stack, source)
   ) STRICT;`,
  'CREATE TABLE notes (name TEXT PRIMARY KEY, body TEXT NOT NULL) STRICT;',
];

export interface OpenedHistory {
  readonly database: DatabaseSync;
  /** It was just made: there was none, or what was there could not be used. */
  readonly isNew: boolean;
  /** Where an unusable file was moved to. */
  readonly movedTo: string | undefined;
}

/** Opens the file for writing. One that is damaged, or of a newer version, is moved aside and begun anew. */
export function openHistoryFile(path: string): OpenedHistory {
  mkdirSync(dirname(path), { recursive: true });
  const wasThere = existsSync(path);
  try {
    const database = openChecked(path);
    if (database) return { database, isNew: !wasThere, movedTo: undefined };
  } catch (error) {
    if (!isDamage(error)) throw error;
  }
  const movedTo = moveAside(path);
  const database = openChecked(path);
  if (!database) throw new Error(`${path} was just made and is of an unknown version`);
  return { database, isNew: true, movedTo };
}

/** Opens the file as it is, for looking only; undefined when there is none that can be read. */
export function lookIntoHistoryFile(path: string): DatabaseSync | undefined {
  if (!existsSync(path)) return undefined;
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    if (versionOf(database) === migrations.length) return database;
  } catch (error) {
    database.close();
    if (isDamage(error)) return undefined;
    throw error;
  }
  database.close();
  return undefined;
}

/** Whether an error means that the file itself is broken, not that the disk is full or busy. */
export function isDamage(error: unknown): boolean {
  // The upper bytes of the code only say where the damage is.
  return damageCodes.has(((error as { errcode?: number }).errcode ?? 0) & 0xff);
}

// --- utils ---

/** Undefined when a newer Lifeboat wrote it. Throws SQLite's error when it is damaged. */
function openChecked(path: string): DatabaseSync | undefined {
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000');
    const { quick_check: verdict } = database.prepare('PRAGMA quick_check(1)').get() as { quick_check: string };
    if (verdict !== 'ok') throw Object.assign(new Error(verdict), { errcode: 11 });
    const version = versionOf(database);
    if (version > migrations.length) {
      database.close();
      return undefined;
    }
    migrate(database, version);
    return database;
  } catch (error) {
    if (database.isOpen) database.close();
    throw error;
  }
}

function migrate(database: DatabaseSync, from: number): void {
  for (const [index, sql] of migrations.entries()) {
    if (index < from) continue;
    database.exec(`BEGIN IMMEDIATE; ${sql} PRAGMA user_version = ${index + 1}; COMMIT`);
  }
}

function versionOf(database: DatabaseSync): number {
  return (database.prepare('PRAGMA user_version').get() as { user_version: number }).user_version;
}

/** One such file is kept: the one before it is replaced. */
function moveAside(path: string): string {
  const movedTo = `${path}.damaged`;
  for (const suffix of ['', '-wal', '-shm'])
    if (existsSync(`${path}${suffix}`)) renameSync(`${path}${suffix}`, `${movedTo}${suffix}`);
  return movedTo;
}
