import { createHash } from 'node:crypto';
import { type FileHandle, link, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { damagedHint, existsHint, goneHint } from '../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { type Body, chunksOf, createMeter, readableOf } from './body.ts';
import { temporaryName } from './key.ts';
import { codeOf, onDisk } from './local-error.ts';
import { checkRoot, fileMode, syncFolder } from './local-folder.ts';
import type { Confirmation } from './store.ts';

const blockBytes = 1024 * 1024;

/** There is no file of this name. */
export const noFile = new Set(['ENOENT', 'ENOTDIR', 'EISDIR']);

/** Some file systems (FAT, some network shares) have no hard links. */
const cannotLink = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK']);

/**
 * Writes a file whole or not at all: into a temporary beside it, synced, read back and compared, then given its name,
 * then the folder synced.
 */
export async function writeWhole(
  path: string,
  body: Body,
  { ifAbsent = false }: { readonly ifAbsent?: boolean },
  signal: AbortSignal,
): Promise<Confirmation> {
  const temporary = join(dirname(path), temporaryName());
  return onDisk('write', path, async () => {
    const handle = await open(temporary, 'wx+', fileMode);
    try {
      const confirmation = await writeAndReadBack(handle, path, body, signal);
      if (signal.aborted) throw asLifeboatError(signal.reason);
      if (ifAbsent) await nameIfAbsent(temporary, path);
      else await rename(temporary, path);
      await syncFolder(dirname(path));
      return confirmation;
    } finally {
      await handle.close();
      // Its failure must not hide the first one, and sweep comes back for it.
      await rm(temporary, { force: true }).catch(() => undefined);
    }
  });
}

async function writeAndReadBack(
  handle: FileHandle,
  path: string,
  body: Body,
  signal: AbortSignal,
): Promise<Confirmation> {
  const meter = createMeter();
  for await (const chunk of chunksOf(body, path, signal)) {
    meter.add(chunk);
    // The disk may take less than it was given, on its way to being full.
    for (let at = 0; at < chunk.length; ) at += (await handle.write(chunk, at)).bytesWritten;
  }
  await handle.sync();
  const written = meter.result();
  const stored = await hashFrom(handle, signal);
  if (stored.bytes !== written.bytes || stored.sha256 !== written.sha256) {
    throw new LifeboatError('ARTIFACT_CORRUPT', `${path} does not read back as it was written`, {
      hint: 'the disk, its cable or the memory is failing',
    });
  }
  return { ...written, confirmed: 'read-back' };
}

async function hashFrom(handle: FileHandle, signal: AbortSignal) {
  const hash = createHash('sha256');
  const block = Buffer.allocUnsafe(blockBytes);
  let bytes = 0;
  for (;;) {
    if (signal.aborted) throw asLifeboatError(signal.reason);
    const { bytesRead } = await handle.read(block, 0, block.length, bytes);
    if (bytesRead === 0) return { bytes, sha256: hash.digest('hex') };
    hash.update(block.subarray(0, bytesRead));
    bytes += bytesRead;
  }
}

async function nameIfAbsent(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
  } catch (error) {
    const code = codeOf(error);
    if (code === 'EEXIST') throw exists(path, error);
    if (!cannotLink.has(code ?? '')) throw error;
    await claimAndRename(temporary, path);
  }
}

/** The second best way to name a file only if the name is free: whoever makes the claim file may look and rename. */
async function claimAndRename(temporary: string, path: string): Promise<void> {
  const claim = join(dirname(path), claimName(path));
  try {
    await (await open(claim, 'wx', fileMode)).close();
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? exists(path, error) : error;
  }
  try {
    const isFree = await open(path, 'r').then(
      (handle) => handle.close().then(() => false),
      (error) => codeOf(error) === 'ENOENT' || Promise.reject(error),
    );
    if (!isFree) throw exists(path);
    await rename(temporary, path);
  } finally {
    await rm(claim, { force: true });
  }
}

/** Looks like a temporary, so that it is never listed and swept when its maker died. */
function claimName(path: string): string {
  return `.lifeboat-${createHash('sha256').update(path).digest('hex').slice(0, 16)}.tmp`;
}

function exists(path: string, cause?: unknown): LifeboatError {
  return new LifeboatError('OBJECT_EXISTS', `${path} is there already`, { hint: existsHint, cause });
}

/** Streams a file; fails when it turns out shorter than it was when it was opened. */
async function readWhole(path: string, signal: AbortSignal): Promise<Readable> {
  if (signal.aborted) throw asLifeboatError(signal.reason);
  const handle = await open(path, 'r');
  try {
    const found = await handle.stat();
    if (!found.isFile()) throw new LifeboatError('OBJECT_NOT_FOUND', `${path} is not a file`, { hint: goneHint });
    return readableOf(blocksOf(handle, found.size, path), () => handle.close(), signal);
  } catch (error) {
    await handle.close();
    throw error;
  }
}

/** The same; rejects OBJECT_NOT_FOUND where nothing is to be read, as long as the root itself is there. */
export async function readFound(root: string, path: string, signal: AbortSignal): Promise<Readable> {
  try {
    return await readWhole(path, signal);
  } catch (error) {
    if (!noFile.has(codeOf(error) ?? '')) throw error;
    await checkRoot(root);
    throw new LifeboatError('OBJECT_NOT_FOUND', `there is no file ${path}`, { hint: goneHint, cause: error });
  }
}

function blocksOf(handle: FileHandle, size: number, path: string): () => Promise<Buffer | null> {
  let at = 0;
  return () =>
    onDisk('read', path, async () => {
      const block = Buffer.allocUnsafeSlow(Math.min(blockBytes / 4, Math.max(size - at, 1)));
      const { bytesRead } = await handle.read(block, 0, block.length, at);
      at += bytesRead;
      if (bytesRead > 0) return block.subarray(0, bytesRead);
      if (at >= size) return null;
      throw new LifeboatError('ARTIFACT_CORRUPT', `${path} became shorter while it was read: ${at} of ${size} bytes`, {
        hint: damagedHint,
      });
    });
}
