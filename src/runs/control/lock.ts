import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { LifeboatError } from '../../domain/errors.ts';

/**
 * The one right to write on this host: an exclusive SQLite lock in the data folder. The kernel releases it however the
 * process ends, so there are no stale locks. Rejects LOCKED with who holds it and since when.
 */
export async function lockData(folder: string, what: string, now: Date): Promise<AsyncDisposable> {
  await mkdir(folder, { recursive: true }).catch((cause: unknown) => {
    throw unwritable(folder, cause);
  });
  const ownerFile = join(folder, 'lock.owner');
  const database = openExclusively(folder);
  if (!database) {
    const owner = await readFile(ownerFile, 'utf8').catch(() => 'another Lifeboat');
    throw new LifeboatError('LOCKED', `${owner.trim()} is at work here`, {
      hint: owner.startsWith('the daemon')
        ? 'ask it: docker compose exec sidecar lifeboat …; or stop it first: docker compose stop sidecar'
        : 'wait for it to end, or see `lifeboat status`',
      retryable: true,
    });
  }
  await writeFile(ownerFile, `${what} (process ${process.pid}, since ${now.toISOString()})\n`).catch(
    (cause: unknown) => {
      database.close();
      throw unwritable(folder, cause);
    },
  );
  return {
    [Symbol.asyncDispose]: async () => {
      await rm(ownerFile, { force: true });
      database.close();
    },
  };
}

function openExclusively(folder: string): DatabaseSync | undefined {
  let database: DatabaseSync;
  try {
    database = new DatabaseSync(join(folder, 'lock.sqlite'));
  } catch (cause) {
    throw unwritable(folder, cause);
  }
  try {
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database.close();
    if ((error as { errcode?: number }).errcode === 5) return undefined; // SQLITE_BUSY
    throw unwritable(folder, error);
  }
}

function unwritable(folder: string, cause: unknown): LifeboatError {
  const why = cause instanceof Error ? ` (${cause.message})` : '';
  return new LifeboatError('STORE_UNAVAILABLE', `the data folder ${folder} cannot be written${why}`, {
    hint: 'mount a volume with free space at /data, or name a writable folder with LIFEBOAT_DATA_DIR',
    cause,
  });
}
