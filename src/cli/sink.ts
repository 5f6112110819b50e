import { createHash } from 'node:crypto';
import { type FileHandle, open, rename, rm, stat } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { LifeboatError } from '../domain/errors.ts';
import type { Sink } from '../runs/export/export.ts';

/** A sink that knows what went into it. Disposing removes what was not kept. */
export interface OutputSink extends Sink, AsyncDisposable {
  /** Makes what was written the result: only now does a file get its name. */
  keep(): Promise<Written>;
}

export interface Written {
  readonly bytes: number;
  readonly sha256: string;
}

/** Where bytes are written one chunk after the other. */
interface Target {
  write(chunk: Buffer): Promise<void>;
  /** Empties it; false when what was written cannot be taken back. */
  empty(): Promise<boolean>;
  keep(): Promise<void>;
  discard(): Promise<void>;
}

/** `-` or nothing is standard output, which must not be a terminal; else a file. */
export async function openSink(output: string | undefined): Promise<OutputSink> {
  const target = output === undefined || output === '-' ? standardOutput() : await fileTarget(output);
  let hash = createHash('sha256');
  let bytes = 0;
  return {
    take: async (source: Readable, signal) => {
      for await (const chunk of source as AsyncIterable<Buffer>) {
        signal.throwIfAborted();
        hash.update(chunk);
        bytes += chunk.length;
        await target.write(chunk);
      }
      signal.throwIfAborted();
    },
    restart: async () => {
      if (bytes > 0 && !(await target.empty())) return false;
      hash = createHash('sha256');
      bytes = 0;
      return true;
    },
    keep: async () => {
      await target.keep();
      return { bytes, sha256: hash.digest('hex') };
    },
    [Symbol.asyncDispose]: () => target.discard(),
  };
}

// --- utils ---

function standardOutput(): Target {
  if (process.stdout.isTTY) {
    throw new LifeboatError('USAGE', 'a backup is not written to a terminal', {
      hint: 'name a file with -o, or redirect: docker exec sidecar lifeboat export … > FILE',
    });
  }
  return {
    write: (chunk) =>
      new Promise((resolve, reject) => {
        process.stdout.write(chunk, (error) => (error ? reject(readerLeft(error)) : resolve()));
      }),
    empty: async () => false,
    keep: async () => {},
    discard: async () => {},
  };
}

/** Under another name until it is whole. What is no regular file (a pipe, a device) is written as it is. */
async function fileTarget(path: string): Promise<Target> {
  const found = await stat(path).catch(() => undefined);
  if (found?.isDirectory()) {
    throw new LifeboatError('USAGE', `${path} is a folder`, { hint: 'name the file that is to be written' });
  }
  const isSpecial = found !== undefined && !found.isFile();
  const draft = isSpecial ? path : `${path}.${process.pid}.partial`;
  const handle = await open(draft, isSpecial ? 'w' : 'wx', 0o600).catch((error: NodeJS.ErrnoException) => {
    throw new LifeboatError('USAGE', `${path} cannot be written (${error.code})`, {
      hint: 'name another file with -o',
    });
  });
  // Written by position: emptying a file does not move the place where the next write would go.
  let position = 0;
  let isOpen = true;
  const close = async () => {
    if (isOpen) await handle.close();
    isOpen = false;
  };
  return {
    write: async (chunk) => {
      await writeAll(handle, chunk, isSpecial ? null : position, path);
      position += chunk.length;
    },
    empty: async () => {
      if (isSpecial) return false;
      await handle.truncate(0);
      position = 0;
      return true;
    },
    keep: async () => {
      if (!isSpecial) await handle.sync();
      await close();
      if (!isSpecial) await rename(draft, path);
    },
    discard: async () => {
      const wasKept = !isOpen;
      await close();
      if (!wasKept && !isSpecial) await rm(draft, { force: true });
    },
  };
}

async function writeAll(handle: FileHandle, chunk: Buffer, position: number | null, path: string): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    try {
      const from = position === null ? null : position + at;
      at += (await handle.write(chunk, at, chunk.length - at, from)).bytesWritten;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const isFull = code === 'ENOSPC' || code === 'EDQUOT';
      throw new LifeboatError(isFull ? 'STORE_FULL' : 'STORE_UNAVAILABLE', `${path} cannot be written (${code})`, {
        hint: isFull ? 'free some space, or name a file elsewhere with -o' : 'name another file with -o',
        cause: error,
      });
    }
  }
}

function readerLeft(cause: Error): LifeboatError {
  return new LifeboatError('CANCELLED', 'whoever was reading has left', { cause });
}
