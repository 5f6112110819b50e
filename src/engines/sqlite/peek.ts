import { posix } from 'node:path';
import { isLifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import { headerBytes, parseHeader } from './header.ts';
import type { Seen } from './seen.ts';
import { peekFile } from './tar.ts';

/** One file through the Engine's archive call, for containers that nothing can be run in. */
export async function peek(shell: Shell, path: string, signal: AbortSignal): Promise<Seen> {
  const base = { path: posix.normalize(path), walBytes: 0, folder: undefined, fileSystem: undefined };
  try {
    const { head, ...file } = await peekFile(await shell.copyOut(path, signal), headerBytes, signal);
    return { ...base, ...file, header: parseHeader([...head]) };
  } catch (error) {
    if (!isLifeboatError(error, 'OBJECT_NOT_FOUND')) throw error;
    return { ...base, kind: 'missing', bytes: 0, owner: { uid: 0, gid: 0, mode: 0 }, header: undefined };
  }
}
