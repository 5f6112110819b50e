import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../../domain/errors.ts';
import type { RedisClient } from './client.ts';
import { numberIn, parseInfo } from './info.ts';

/** The server's own account of its saving. */
interface SaveState {
  readonly runId: string;
  /** Seconds by the server's clock. */
  readonly now: number;
  /** Loading, or a child writes an RDB or an AOF: no save can begin. */
  readonly isBusy: boolean;
  readonly isSaving: boolean;
  /** How many saves were begun since the start; undefined before Redis 7. */
  readonly begun: number | undefined;
  readonly lastSave: number;
  readonly isLastOk: boolean;
}

/** LASTSAVE counts whole seconds: two saves within one cannot be told apart by it. */
const resolutionSeconds = 2;
const firstPauseMs = 100;
const longestPauseMs = 2_000;
/** A scheduled save begins when another child ends; after that many looks without any sign of it something is wrong. */
const patience = 90;

/**
 * Has the server write its RDB file and waits for it, without blocking it. "Background saving started" is no success:
 * the child may still fail and leave yesterday's file in place. So the save must have been begun after we asked, ended
 * well, and happened in the same life of the server. Resolves with the second after which the file was written, or
 * undefined when this login may not save.
 */
export async function saveNow(client: RedisClient, runId: string, signal: AbortSignal): Promise<number | undefined> {
  const before = await untilIdle(client, runId, signal);
  const [reply] = await client.ask([['BGSAVE', 'SCHEDULE']], signal);
  const said = reply?.text ?? '';
  if (/^(?:NOPERM|ERR unknown command)/.test(said)) return undefined;
  // Somebody else's save came in between: ours is still to be made.
  if (/already in progress/i.test(said)) return saveNow(client, runId, signal);
  if (reply?.isError) throw saveFailed(client, said);
  const askedAt = performance.now();
  for (let looks = 0; ; ) {
    const state = await look(client, runId, signal);
    const isBegun = before.begun === undefined || (state.begun ?? 0) > before.begun;
    if (!state.isSaving) {
      if (isBegun && state.isLastOk && state.lastSave >= before.now) return before.now;
      if (!state.isBusy) looks += 1;
      if ((isBegun && !state.isLastOk) || looks > patience) throw saveFailed(client, 'the last save did not end well');
    }
    // So that a save is noticed within a tenth of its time.
    const pause = Math.min(Math.max(firstPauseMs, (performance.now() - askedAt) / 10), longestPauseMs);
    await sleep(pause, undefined, { signal });
  }
}

/** Rejects SOURCE_REPLACED when the server is no longer in the life we know: a restart inside the container. */
export async function assertSameLife(client: RedisClient, runId: string, signal: AbortSignal): Promise<void> {
  await look(client, runId, signal);
}

async function untilIdle(client: RedisClient, runId: string, signal: AbortSignal): Promise<SaveState> {
  for (let pause = firstPauseMs; ; pause = Math.min(pause * 1.5, longestPauseMs)) {
    const state = await look(client, runId, signal);
    const isTooEarly = state.begun === undefined && state.now - state.lastSave < resolutionSeconds;
    if (!state.isBusy && !isTooEarly) return state;
    await sleep(pause, undefined, { signal });
  }
}

async function look(client: RedisClient, runId: string, signal: AbortSignal): Promise<SaveState> {
  const [server, persistence, time] = await client.ask([['INFO', 'server'], ['INFO', 'persistence'], ['TIME']], signal);
  const info = parseInfo(`${server?.text}\n${persistence?.text}`);
  const state: SaveState = {
    runId: info.get('run_id') ?? '',
    now: Number.parseInt(time?.text ?? '', 10),
    isBusy: ['loading', 'rdb_bgsave_in_progress', 'aof_rewrite_in_progress'].some(
      (field) => numberIn(info, field) !== 0,
    ),
    isSaving: numberIn(info, 'rdb_bgsave_in_progress') === 1,
    begun: numberIn(info, 'rdb_saves'),
    lastSave: numberIn(info, 'rdb_last_save_time') ?? 0,
    isLastOk: info.get('rdb_last_bgsave_status') === 'ok',
  };
  if (state.runId === runId && Number.isFinite(state.now)) return state;
  throw new LifeboatError('SOURCE_REPLACED', `the server in ${client.shell.container.name} was restarted meanwhile`, {
    hint: 'back up again; docker logs of the container tells why',
    retryable: true,
  });
}

function saveFailed(client: RedisClient, why: string): LifeboatError {
  const { name } = client.shell.container;
  return new LifeboatError('COMMAND_FAILED', `the server in ${name} could not save its data: ${why}`, {
    hint: `its folder may be full or not writable, or memory too short for a fork: docker logs ${name}`,
    retryable: true,
  });
}
