import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { posix } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { LifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import type { FileFacts } from './facts.ts';
import { keptPath } from './file.ts';
import { fetch } from './paused-copy.ts';
import { peek } from './peek.ts';
import type { Place } from './place.ts';
import { checkBytes } from './proof.ts';
import { createSpool, type Spool } from './spool.ts';
import { type Packed, packFiles } from './tar.ts';

const setSuffixes = ['', '-wal', '-journal'] as const;

type Held = Omit<Packed, 'name'>;

/**
 * A database that only the Engine's archive calls reach: in the container's own layer, or in a mount where no helper may
 * be made. They can neither rename nor remove, so the previous set is held in a file of ours while it is replaced, and a
 * log that would belong to the old database is emptied instead, which SQLite takes for none.
 */
export function archivePlace(shell: Shell, path: string, facts: FileFacts, suffix: string): Place {
  const [folder, base] = [posix.dirname(path), posix.basename(path)];
  const before = new Map<string, Held>();
  let spool: Spool | undefined;
  let isSwitched = false;
  const staged = (): Spool => {
    if (spool) return spool;
    throw new LifeboatError('INTERNAL', `${path} was not staged`);
  };

  async function putStaged(signal: AbortSignal | undefined, sides: readonly Packed[]): Promise<void> {
    const file = staged().path('new');
    const { size } = await stat(file);
    const fresh = { name: base, bytes: size, owner: facts.owner, open: () => createReadStream(file) };
    await put(shell, folder, [...sides, fresh], facts, signal);
  }

  return {
    path,
    stage: async (open, bytes, signal) => {
      spool = await createSpool(bytes);
      const file = spool.path('new');
      await pipeline(await open(), createWriteStream(file, { mode: 0o600 }), { signal });
      return checkBytes(shell, path, createReadStream(file), bytes, signal);
    },
    putBeside: async (signal) => {
      if ((await peek(shell, path, signal)).kind !== 'missing') {
        throw new LifeboatError('RESTORE_FAILED', `${path} exists already`, { hint: 'choose another name for --as' });
      }
      await putStaged(signal, []);
    },
    switchOver: async (signal) => {
      for (const side of setSuffixes) {
        const held = await fetch(shell, `${path}${side}`, staged().path(`before${side}`), signal);
        if (held) before.set(side, held);
      }
      const kept = posix.basename(keptPath(path, suffix));
      const set = [...before].map(([side, held]) => ({ ...held, name: `${kept}${side}` }));
      if (set.length > 0) await put(shell, folder, set, facts, signal);
      isSwitched = true;
      await putStaged(signal, emptied(base, before));
    },
    verify: async (signal) => {
      const back = await fetch(shell, path, staged().path('back'), signal);
      const [put, found] = await Promise.all([sha256(staged().path('new')), back && sha256(staged().path('back'))]);
      if (put !== found)
        throw new LifeboatError('RESTORE_FAILED', `${path} is not what was put there`, {
          hint: 'something in the container changes it, or the disk is failing: stop what writes there and restore again',
        });
      return 'read back and compared byte by byte';
    },
    putBack: async () => {
      if (!isSwitched) return;
      const set = [...before].map(([side, held]) => ({ ...held, name: `${base}${side}` }));
      if (set.length > 0) await put(shell, folder, set, facts, undefined);
    },
    isStaged: async () => spool !== undefined && !isSwitched,
    discard: async () => {
      await spool?.[Symbol.asyncDispose]();
    },
    kept: () => (before.has('') ? keptPath(path, suffix) : undefined),
  };
}

/** Puts files into a folder of the container, which is made, with the recorded owner, where it is missing. */
async function put(
  shell: Shell,
  folder: string,
  files: readonly Packed[],
  facts: FileFacts,
  signal: AbortSignal | undefined,
): Promise<void> {
  const missing: string[] = [];
  let existing = folder;
  while (existing !== '/' && (await peek(shell, existing, signal ?? AbortSignal.timeout(30_000))).kind === 'missing') {
    missing.unshift(existing);
    existing = posix.dirname(existing);
  }
  const owner = facts.folder ?? { ...facts.owner, mode: 0o755 };
  const folders = missing.map((path) => ({
    name: `${posix.relative(existing, path)}/`,
    bytes: 0,
    owner,
    open: () => Readable.from([]),
  }));
  const below = posix.relative(existing, folder);
  const placed = files.map((file) => ({ ...file, name: posix.join(below, file.name) }));
  await shell.copyIn(existing, packFiles([...folders, ...placed]), signal);
}

/** The log and the journal of the previous database, without content. */
function emptied(base: string, before: ReadonlyMap<string, Held>): readonly Packed[] {
  return [...before]
    .filter(([side]) => side !== '')
    .map(([side, { owner }]) => ({ name: `${base}${side}`, bytes: 0, owner, open: () => Readable.from([]) }));
}

async function sha256(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}
