import { stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { messageOf } from './body.ts';

const full = new Set(['ENOSPC', 'EDQUOT']);
const passing = new Set(['EBUSY', 'EAGAIN', 'EINTR', 'EMFILE', 'ENFILE', 'ETIMEDOUT', 'ESTALE']);

/** The system's error code of a thrown value. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** Runs a step on the file system and turns what it throws into a LifeboatError about this path. */
export async function onDisk<T>(what: string, path: string, step: () => Promise<T>): Promise<T> {
  try {
    return await step();
  } catch (error) {
    throw error instanceof LifeboatError ? error : await localError(what, path, error);
  }
}

async function localError(what: string, path: string, cause: unknown): Promise<LifeboatError> {
  const code = codeOf(cause);
  const context = { path, code };
  const message = `cannot ${what} ${path}: ${code ?? messageOf(cause)}`;
  if (code !== undefined && full.has(code)) {
    const hint = 'free space there, or remove old backups, manifest.json first; those that are there were not touched';
    return new LifeboatError('STORE_FULL', message, { hint, context, cause });
  }
  const retryable = code !== undefined && passing.has(code);
  return new LifeboatError('STORE_UNAVAILABLE', message, {
    hint: await hintFor(code, path),
    retryable,
    context,
    cause,
  });
}

async function hintFor(code: string | undefined, path: string): Promise<string | undefined> {
  if (code === 'ENOENT' || code === 'ENOTDIR')
    return `is the disk mounted? nearest existing folder: ${await nearest(path)}`;
  if (code === 'EROFS') return `the file system is mounted read-only; remount it for writing (${await nearest(path)})`;
  if (code === 'EACCES' || code === 'EPERM') {
    const { uid, gid } = { uid: process.geteuid?.(), gid: process.getegid?.() };
    return `Lifeboat runs as uid ${uid}, gid ${gid}; give it the right to write, or run it as the owner: ${await nearest(path)}`;
  }
  if (code === 'EFBIG') return 'this file system (FAT?) cannot hold files so large; use another one';
  if (code === 'EIO') return 'the disk or its cable is failing; look at the kernel log';
  return undefined;
}

/** The nearest folder above the path that exists, with its owner and mode. */
async function nearest(path: string): Promise<string> {
  for (let folder = path; ; folder = dirname(folder)) {
    const found = await stat(folder).catch(() => undefined);
    if (found)
      return `${folder} (uid ${found.uid}, gid ${found.gid}, mode ${(found.mode & 0o7777).toString(8).padStart(4, '0')})`;
    if (folder === dirname(folder)) return folder;
  }
}
