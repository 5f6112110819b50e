import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, type Header, pack } from 'tar-stream';
import { LifeboatError } from '../../domain/errors.ts';
import type { Owner } from './seen.ts';

/** A file as a tar names it. */
export interface TarFile {
  readonly owner: Owner;
  readonly bytes: number;
  readonly kind: 'file' | 'link' | 'other';
}

/** Writes the one file of the Engine's archive to `target`; rejects DUMP_INCOMPLETE when fewer bytes come than it names. */
export async function unpackFile(archive: Readable, target: string, signal: AbortSignal): Promise<TarFile> {
  return readFirst(archive, signal, async (entry, file) => {
    if (file.kind !== 'file') return;
    await pipeline(entry, createWriteStream(target, { mode: 0o600 }), { signal });
  });
}

/** The first bytes of the one file of the Engine's archive; the rest is not fetched. */
export async function peekFile(archive: Readable, length: number, signal: AbortSignal) {
  let head = Buffer.alloc(0);
  const file = await readFirst(archive, signal, async (entry) => {
    for await (const chunk of entry as AsyncIterable<Buffer>) {
      head = Buffer.concat([head, chunk]);
      if (head.length >= length) return;
    }
  });
  return { ...file, head: head.subarray(0, length) };
}

/** What goes into a tar: a name and where its bytes come from; a name that ends with a slash is a folder. */
export interface Packed {
  readonly name: string;
  readonly bytes: number;
  readonly owner: Owner;
  open(): Readable;
}

/** A tar of these files, in this order. It fails when a file has not as many bytes as was said. */
export function packFiles(files: readonly Packed[]): Readable {
  const tar = pack();
  const fill = async (): Promise<void> => {
    for (const { name, bytes, owner, open } of files) {
      const { uid, gid, mode } = owner;
      const type = name.endsWith('/') ? 'directory' : 'file';
      await pipeline(open(), tar.entry({ name, type, size: bytes, uid, gid, mode, mtime: new Date() }));
    }
    tar.finalize();
  };
  fill().catch((error: Error) => tar.destroy(error));
  return Readable.from(tar as unknown as AsyncIterable<Buffer>, { objectMode: false });
}

// --- utils ---

async function readFirst(
  archive: Readable,
  signal: AbortSignal,
  use: (entry: Readable, file: TarFile) => Promise<void>,
): Promise<TarFile> {
  const reader = extract();
  const fed = pipeline(archive, reader as unknown as NodeJS.WritableStream, { signal });
  fed.catch(() => {}); // The reader fails with the same cause.
  try {
    for await (const entry of reader) {
      const file = toFile(entry.header);
      await use(entry as unknown as Readable, file);
      return file;
    }
  } catch (cause) {
    signal.throwIfAborted();
    if (cause instanceof LifeboatError) throw cause;
    throw new LifeboatError('DUMP_INCOMPLETE', 'the archive from the Engine is cut', {
      hint: againHint,
      retryable: true,
      cause,
    });
  } finally {
    archive.destroy();
  }
  throw new LifeboatError('DUMP_INCOMPLETE', 'the archive from the Engine is empty', {
    hint: againHint,
    retryable: true,
  });
}

const againHint = 'do it again; if it returns, a proxy before the Engine cuts its answers: run `lifeboat doctor`';

function toFile({ type, uid = 0, gid = 0, mode = 0, size = 0 }: Header): TarFile {
  const kind = type === 'file' || type === 'contiguous-file' ? 'file' : type === 'symlink' ? 'link' : 'other';
  return { kind, bytes: size, owner: { uid, gid, mode: mode & 0o7777 } };
}
