import { chmod, mkdir, readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi, HelperSpec } from './api.ts';
import type { Fifo, fifoToRead } from './fifo.ts';

/** The folder for named pipes: ours at `path`, a helper's through the volume behind it. */
export interface PipeFolder {
  readonly path: string;
  readonly volume: string;
}

/** Helpers at pipes need no rights at all, unless they read what belongs to somebody: nobody on every distribution. */
export const nobody = { uid: 65_534, gid: 65_534 };
/** Mounts of a part of a volume came with API 1.45 (Engine 26). */
const subpathVersion = [1, 45] as const;

let opened = 0;

/** Why commands cannot be run at pipes here; undefined when they can. */
export function whyNoPipes(api: DockerApi, folder: PipeFolder | undefined, container: Container): string | undefined {
  if (!folder) return 'the sidecar has no volume at /run/lifeboat';
  const [major = 0, minor = 0] = api.engine.apiVersion.split('.').map(Number);
  if (major < subpathVersion[0] || (major === subpathVersion[0] && minor < subpathVersion[1])) {
    return `the Engine speaks API ${api.engine.apiVersion}, mounting a part of a volume needs 1.45`;
  }
  if (container.usernsMode !== '') return `the container runs in the user namespace "${container.usernsMode}"`;
  return undefined;
}

/** Removes the pipes that a killed process left behind. */
export async function reapPipes({ path }: PipeFolder): Promise<void> {
  for (const name of await readdir(path)) await rm(join(path, name), { recursive: true, force: true });
}

/** A pipe where its helper finds it. */
export type PipeMount = HelperSpec['mounts'][number];

/** A pipe of its own folder, of which a helper mounts only that folder. */
export async function makePipe(
  make: typeof fifoToRead,
  folder: PipeFolder,
  run: string,
  user: string,
): Promise<AsyncDisposable & { readonly fifo: Fifo; readonly mount: PipeMount }> {
  const [uid, gid = uid] = user.split(':').map(Number);
  if (!Number.isInteger(uid) || !Number.isInteger(gid)) {
    throw new LifeboatError('INTERNAL', `a helper at a pipe needs a numeric user, not "${user}"`);
  }
  opened += 1;
  const name = `${run}-${process.pid}-${opened}`;
  const own = join(folder.path, name);
  await mkdir(own);
  await chmod(own, 0o711); // Lets the helper pass, not look.
  const fifo = await make(join(own, 'pipe'), { uid: uid as number, gid: gid as number });
  return {
    fifo,
    mount: { type: 'volume', source: folder.volume, target: '/pipe', readOnly: false, subpath: name },
    [Symbol.asyncDispose]: async () => {
      fifo.end.close();
      fifo.keeper.close();
      await rm(own, { recursive: true, force: true });
    },
  };
}
