import { createReadStream, createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { basename } from 'node:path/posix';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isLifeboatError } from '../../domain/errors.ts';
import { loadingMemory } from './stage.ts';
import { foldersOf, keptLine, partsOf, type RestoreContext, type Switch } from './switch.ts';
import { type TarEntry, tarOf } from './tar.ts';

const mebibyte = 1024 ** 2;
/** A whole RDB without anything in it, for a place that had none: nothing can be deleted in a stopped container. */
const emptyRdb = Buffer.concat([Buffer.from('REDIS0009'), Buffer.from([0xff]), Buffer.alloc(8)]);

/**
 * In a container's own layer no helper can work: the copy is loaded in the helper's scratch space, and the files go in
 * and out of the stopped container through the Engine. What was there is copied aside, not moved. An RDB is a valid first
 * part of an AOF, so that no server is needed to write one.
 */
export function inLayer(context: RestoreContext): Switch {
  const { shell, from, artifact, facts, layout, client } = context;
  const { kept } = foldersOf(layout.folder, context.suffix);
  const [uid = 0, gid = 0] = layout.owner.split(':').map(Number);
  const parts = partsOf(layout);
  const before = new Map<string, string>();
  let spool: string | undefined;

  const put = (folder: string, entries: readonly TarEntry[]) =>
    shell.copyIn(folder, Readable.from(tarOf(entries, new Date()), { objectMode: false }));
  const file = (name: string, bytes: number, open: () => Promise<AsyncIterable<Uint8Array>>): TarEntry => ({
    name,
    uid,
    gid,
    mode: 0o600,
    file: { bytes, open },
  });
  const text = (name: string, content: Buffer): TarEntry =>
    file(name, content.length, async () => Readable.from([content]));
  const entriesOf = (rdb: (name: string) => TarEntry): TarEntry[] => [
    rdb(layout.file),
    ...(layout.appendonly ? appendFiles(rdb) : []),
  ];

  /** Base and increment are both named, and both overwritten: a server appends to an increment that it finds. */
  function appendFiles(rdb: (name: string) => TarEntry): TarEntry[] {
    const { appendFile, appendFolder } = layout;
    if (appendFolder === '') return [rdb(appendFile)];
    const [base, increment] = [`${appendFile}.1.base.rdb`, `${appendFile}.1.incr.aof`];
    const manifest = `file ${base} seq 1 type b\nfile ${increment} seq 1 type i\n`;
    return [
      { name: appendFolder, uid, gid, mode: 0o700 },
      rdb(`${appendFolder}/${base}`),
      text(`${appendFolder}/${increment}`, Buffer.alloc(0)),
      text(`${appendFolder}/${appendFile}.manifest`, Buffer.from(manifest)),
    ];
  }

  /** The Engine locks a container while it hands something out, so what is to go back in is kept here in between. */
  async function takeOut(folder: string): Promise<void> {
    for (const part of parts) {
      const path = join(folder, `${before.size}.tar`);
      try {
        await pipeline(await shell.copyOut(`${layout.folder}/${part}`), createWriteStream(path, { mode: 0o600 }));
        before.set(part, path);
      } catch (error) {
        if (!isLifeboatError(error, 'OBJECT_NOT_FOUND')) throw error;
      }
    }
  }

  return {
    kept: keptLine(context, kept),
    prepare: async () => ({
      place: {
        kind: 'helper',
        network: 'none',
        scratchBytes: Math.ceil(artifact.plainBytes * 1.2) + 16 * mebibyte,
        memoryBytes: loadingMemory(facts),
      },
      folder: '/tmp/lifeboat',
      isNew: true,
      wantsAof: false,
      client,
      layout,
    }),
    over: async () => {
      spool = await mkdtemp(join(tmpdir(), 'lifeboat-redis-'));
      await takeOut(spool);
      await put(layout.folder, [{ name: basename(kept), uid, gid, mode: 0o700 }]);
      for (const path of before.values()) await shell.copyIn(kept, createReadStream(path));
      const plain = () => from.open(artifact, AbortSignal.timeout(6 * 3_600_000));
      await put(
        layout.folder,
        entriesOf((name) => file(name, artifact.plainBytes, plain)),
      );
    },
    back: async () => {
      if (spool === undefined) return;
      await put(
        layout.folder,
        entriesOf((name) => text(name, emptyRdb)),
      );
      for (const path of before.values()) await shell.copyIn(layout.folder, createReadStream(path));
    },
    discard: async () => {
      if (spool !== undefined) await rm(spool, { recursive: true, force: true });
    },
  };
}
