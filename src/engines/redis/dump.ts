import type { Command, Shell } from '../../domain/shell.ts';
import type { Dump, Produce, Survey } from '../engine.ts';
import { whyNotReached } from '../reach.ts';
import type { RedisClient } from './client.ts';
import { countServer } from './counts.ts';
import { factsOf } from './facts.ts';
import { isShared, placeOf } from './place.ts';
import { assertSameLife, saveNow } from './save.ts';
import { sameFileScript, transferScript } from './scripts.ts';
import type { Layout, Server } from './server.ts';
import { type RedisNotes, rdb } from './survey.ts';

/** From this size on a helper that reads the file itself is worth its start: the Engine's relay is slow. */
const helperFromBytes = 64 * 1024 ** 2;

/**
 * The one RDB. Preferred is the server's own save, in its own folder, which was made for it: no second copy in memory or
 * in the container's layer, no right to replicate needed, nothing new for its replicas. A server that keeps nothing on
 * disk would load that file at its next start, and one that lets us not save cannot make it: from those the RDB is
 * fetched as a replica fetches it, into a nameless file.
 */
export async function* dump(shell: Shell, survey: Survey, signal: AbortSignal): AsyncGenerator<Dump> {
  const { client, server } = survey.notes as RedisNotes;
  const keepsData = server.savesByItself || server.layout.appendonly;
  const saved = () => savedFile(shell, survey.identity, server.layout, signal);
  // Starting a helper takes as long as a small save: whether one sees the folder, the file of an earlier save tells too.
  const isSeen = keepsData ? saved().then(isReached, () => false) : Promise.resolve(false);
  try {
    const savedAt = keepsData ? await saveNow(client, server.runId, signal) : undefined;
    const method = savedAt === undefined ? 'transfer' : 'save';
    yield {
      ...rdb,
      facts: { ...factsOf(server, method, savedAt ?? (await serverClock(client, signal))) },
      counts: Promise.resolve([await countServer(client, signal)]),
      produce: savedAt === undefined ? transfer(client, server) : unlessSeen(await saved(), isSeen),
    };
    await assertSameLife(client, server.runId, signal);
  } finally {
    await isSeen; // Nothing of ours is left running.
  }

  async function isReached({ helper }: Saved): Promise<boolean> {
    return helper !== undefined && (await helper.whyNot(signal).catch(() => 'not known')) === undefined;
  }
}

type Saved = Extract<Produce, { from: 'command' }> & {
  readonly helper?: {
    readonly path: 'file';
    readonly command: Command;
    whyNot(signal: AbortSignal): Promise<string | undefined>;
  };
};

/** Asks again only where the first answer was not yes: there may have been no file, or the save ended in between. */
function unlessSeen(saved: Saved, isSeen: Promise<boolean>): Saved {
  const { helper } = saved;
  if (!helper) return saved;
  return {
    ...saved,
    helper: { ...helper, whyNot: async (abort) => ((await isSeen) ? undefined : helper.whyNot(abort)) },
  };
}

/**
 * `cat` opens the file once: a save that replaces it meanwhile does not touch what is being read. A helper must first
 * find a file of the same size, because what is mounted in the container may be a part of the volume only.
 */
async function savedFile(shell: Shell, identity: string, layout: Layout, signal: AbortSignal): Promise<Saved> {
  const path = `${layout.folder}/${layout.file}`;
  const user = layout.owner;
  const size = (await shell.text({ argv: ['sh', '-c', 'wc -c <"$1"', 'sh', path], user }, signal)).trim();
  const argv = ['cat', '--', path] as const;
  const exec: Command = { argv, user };
  const where = placeOf(shell.container, layout.folder);
  if (Number(size) < helperFromBytes || !isShared(where)) return { from: 'command', exec };
  const mounts = [{ mount: where.mount, target: where.mount.target, readOnly: true }];
  const place = { kind: 'helper', image: 'own', network: 'none', mounts } as const;
  const probe: Command = { argv: ['sh', '-c', sameFileScript, 'sh', path, size, identity], user, place };
  const whyNot = (abort: AbortSignal) => whyNotReached(shell, probe, identity, abort);
  return { from: 'command', exec, helper: { path: 'file', command: { argv, user, place }, whyNot } };
}

function transfer(client: RedisClient, { layout }: Server): Produce {
  const { argv, env } = client.command([]);
  return {
    from: 'command',
    exec: { argv: ['sh', '-c', transferScript, 'sh', layout.folder, ...argv], ...(env ? { env } : {}) },
  };
}

async function serverClock(client: RedisClient, signal: AbortSignal): Promise<number> {
  const [time] = await client.ask([['TIME']], signal);
  return Number.parseInt(time?.text ?? '0', 10);
}
