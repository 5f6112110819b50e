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
  const savedAt = keepsData ? await saveNow(client, server.runId, signal) : undefined;
  const method = savedAt === undefined ? 'transfer' : 'save';
  const produce =
    savedAt === undefined ? transfer(client, server) : await savedFile(shell, survey.identity, server.layout, signal);
  yield {
    ...rdb,
    facts: { ...factsOf(server, method, savedAt ?? (await serverClock(client, signal))) },
    counts: Promise.resolve([await countServer(client, signal)]),
    produce,
  };
  await assertSameLife(client, server.runId, signal);
}

/**
 * `cat` opens the file once: a save that replaces it meanwhile does not touch what is being read. A helper must first
 * find a file of the same size, because what is mounted in the container may be a part of the volume only.
 */
async function savedFile(shell: Shell, identity: string, layout: Layout, signal: AbortSignal): Promise<Produce> {
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
