import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Command, Shell } from '../../domain/shell.ts';
import { benchCommand, scratchFor } from './bench.ts';
import type { DatabaseFile } from './file.ts';
import { check, count, room, scratch } from './script.ts';
import { createSpool, type Spool } from './spool.ts';
import { type Packed, packFiles, unpackFile } from './tar.ts';

/** Nobody's service may stand still for longer. */
const pauseLimitMs = 60_000;

/** What belongs together: a database is whole only with its log or its rollback journal. */
const setSuffixes = ['', '-wal', '-journal'] as const;

/**
 * Makes one file of the set: SQLite itself brings in the log, or rolls the journal back, when it opens the copy. The last
 * member says that the set came whole, as a tar may be cut between members unnoticed.
 */
const recoverScript = `${scratch}${room}${check}${count}
name=$1 needed=$2 counts=$3
room "$needed" .
tar -x -f - --no-same-owner || fail 74 "the copy of $name cannot be unpacked"
[ -e whole ] || fail 74 "the copy of $name came without its end"
said=$(sqlite3 -batch -bail -safe -list copy 'PRAGMA wal_checkpoint(TRUNCATE)' 'SELECT count(*) FROM sqlite_master' 2>&1) ||
  fail 65 "the copy of $name cannot be read: $said"
[ ! -s copy-wal ] || fail 74 "the log of $name could not be brought in"
check copy >&2
count copy "$counts" >&2
cat copy`;

/**
 * The files themselves, copied while nothing in the container runs, then recovered and checked on the bench. For
 * databases that no helper can mount and no tool can read, and for file systems whose locks cannot be trusted.
 */
export function pausedCopy(shell: Shell, file: DatabaseFile, rows: boolean, hasHelper: boolean): Command {
  const bytes = file.bytes + file.walBytes;
  const args = [file.path, String(bytes), rows ? 'rows' : 'objects'];
  return {
    ...benchCommand(recoverScript, args, scratchFor(bytes), hasHelper),
    input: (signal) => copyWhilePaused(shell, file, signal),
  };
}

async function copyWhilePaused(shell: Shell, file: DatabaseFile, outer: AbortSignal | undefined): Promise<Readable> {
  await using stack = new AsyncDisposableStack();
  const spool = stack.use(await createSpool(scratchFor(file.bytes + file.walBytes)));
  const files = await fetchPaused(shell, file, spool, outer);
  // From here on the tar owns the spool: it goes when the tar was read or given up.
  return drainedInto(packFiles(files), stack.move());
}

/**
 * The Engine holds the container's lock until an archive was read, so all is read to a file of ours at once, and the
 * container goes on before anything else is done with it.
 */
async function fetchPaused(
  shell: Shell,
  file: DatabaseFile,
  spool: Spool,
  outer: AbortSignal | undefined,
): Promise<readonly Packed[]> {
  await using _paused = await shell.paused(outer);
  const deadline = AbortSignal.timeout(pauseLimitMs);
  const signal = outer ? AbortSignal.any([outer, deadline]) : deadline;
  try {
    return await fetchSet(shell, file.path, spool, signal);
  } catch (error) {
    throw deadline.aborted && !outer?.aborted ? tooLong(shell, file) : error;
  }
}

async function fetchSet(shell: Shell, path: string, spool: Spool, signal: AbortSignal): Promise<readonly Packed[]> {
  const files: Packed[] = [];
  for (const suffix of setSuffixes) {
    const fetched = await fetch(shell, `${path}${suffix}`, spool.path(`copy${suffix}`), signal);
    if (fetched) files.push({ ...fetched, name: `copy${suffix}` });
    else if (suffix === '')
      throw new LifeboatError('SOURCE_NOT_FOUND', `${path} does not exist any more`, {
        hint: 'the app has just removed it; back up again',
      });
  }
  return [...files, { name: 'whole', bytes: 0, owner: { uid: 0, gid: 0, mode: 0o600 }, open: () => Readable.from([]) }];
}

/** One file out of the container; undefined when it is not there. */
export async function fetch(
  shell: Shell,
  path: string,
  target: string,
  signal: AbortSignal,
): Promise<Omit<Packed, 'name'> | undefined> {
  try {
    const { kind, owner, bytes } = await unpackFile(await shell.copyOut(path, signal), target, signal);
    if (kind !== 'file')
      throw new LifeboatError('SOURCE_NOT_FOUND', `${path} is no regular file`, {
        hint: 'name the database file itself with lifeboat.sqlite',
      });
    const { size } = await stat(target);
    if (size === bytes) return { owner, bytes, open: () => createReadStream(target) };
    throw new LifeboatError('DUMP_INCOMPLETE', `${size} of ${bytes} bytes of ${path} came`, {
      hint: 'back up again; if it returns, is the disk of the sidecar full?',
      retryable: true,
    });
  } catch (error) {
    if (!isLifeboatError(error, 'OBJECT_NOT_FOUND')) throw error;
    return undefined;
  }
}

function drainedInto(tar: Readable, stack: AsyncDisposableStack): Readable {
  async function* read() {
    try {
      yield* tar as AsyncIterable<Buffer>;
    } finally {
      await stack.disposeAsync();
    }
  }
  return Readable.from(read(), { objectMode: false });
}

function tooLong(shell: Shell, { path }: DatabaseFile): LifeboatError {
  const seconds = pauseLimitMs / 1000;
  return new LifeboatError(
    'QUIESCE_FAILED',
    `copying ${path} would have paused ${shell.container.name} for longer than ${seconds} s, so it was given up`,
    { hint: 'put the database into a volume of a local disk: it is then copied while the app runs' },
  );
}
