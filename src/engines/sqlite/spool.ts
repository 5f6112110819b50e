import { mkdtemp, rm, statfs } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';

/** A folder of ours for a moment; disposing removes it with all it holds. */
export interface Spool extends AsyncDisposable {
  path(name: string): string;
}

/** Rejects when `bytes` do not fit, before anything else was done. */
export async function createSpool(bytes: number): Promise<Spool> {
  const { bavail, bsize } = await statfs(tmpdir());
  if (bavail * bsize <= bytes) {
    throw new LifeboatError('COMMAND_FAILED', `${tmpdir()} of the sidecar has no room for ${bytes} bytes`, {
      hint: 'free some space on that disk, or set TMPDIR on the sidecar to a folder with more',
    });
  }
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-spool-'));
  return {
    path: (name) => join(folder, name),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}
