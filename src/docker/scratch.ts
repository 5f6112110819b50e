import { chmod, chown, mkdir, open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scratch } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import type { HelperOwner } from './helper.ts';
import { nobody, whyNoPipes } from './pipe-folder.ts';

/** What is loaded from the file may lie on the same disk, tables and indexes: both must fit. */
const roomFactor = 3;

let made = 0;

/**
 * An empty file in the folder that is shared with helpers; undefined where none can be shared or the disk has no room for
 * so many bytes. A killed process leaves it where its pipes lie, and it is removed with them.
 */
export async function openScratch(
  api: DockerApi,
  { pipes, run }: HelperOwner,
  container: Container,
  bytes: number,
): Promise<Scratch | undefined> {
  if (!pipes || whyNoPipes(api, pipes, container) !== undefined) return undefined;
  const { bavail, bsize } = await statfs(pipes.path);
  if (bavail * bsize < bytes * roomFactor) return undefined;
  made += 1;
  const name = `${run}-${process.pid}-file-${made}`;
  const own = join(pipes.path, name);
  const path = join(own, 'plain');
  const target = '/scratch';
  const remove = () => rm(own, { recursive: true, force: true });
  try {
    await mkdir(own);
    await chmod(own, 0o711);
    await (await open(path, 'wx', 0o600)).close();
    await chown(path, nobody.uid, nobody.gid);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    path,
    file: `${target}/plain`,
    user: `${nobody.uid}:${nobody.gid}`,
    mount: {
      mount: { type: 'volume', name: pipes.volume, target, subpath: name, readOnly: true },
      target,
      readOnly: true,
    },
    [Symbol.asyncDispose]: remove,
  };
}
