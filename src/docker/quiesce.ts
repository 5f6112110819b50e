import { setTimeout as sleep } from 'node:timers/promises';
import { isLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { ContainerRole, Hold, Intent, Journal } from '../domain/journal.ts';
import type { Container, ContainerState } from '../domain/types.ts';
import { createWaiting } from '../domain/waiting.ts';
import type { DockerApi } from './api.ts';
import { rediscover } from './discovery.ts';

/**
 * What all runs of this process keep stopped or paused. A container is known by the part it plays, however often it is
 * recreated. Who wants the same of one that is held already holds it as well, and only the last to let go puts it back;
 * who wants anything else of it waits.
 */
export interface Quiescer {
  /**
   * Stops a container, with the intent on disk first. The last to let go starts it again; one that was not running is left
   * as it was. Rejects SOURCE_REPLACED when another container plays its part by now, and QUIESCE_FAILED when somebody paused
   * it: it would go on with files that were changed under it.
   */
  stop(container: Container, graceMs: number, signal?: AbortSignal): Promise<Hold>;
  /** Pauses a container, with the intent on disk first. The last to let go lets it go on; one that does not run is left. */
  pause(container: Container, signal?: AbortSignal): Promise<Hold>;
  /** Does what takes moments and needs the container as it usually is, while no run of ours has it stopped or paused. */
  whileFree<T>(container: Container, work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
}

/** One container, as long as anybody wants anything of it. */
interface Part {
  readonly mode: 'stop' | 'pause' | 'free';
  holders: number;
  /** It is just being stopped, started, …: nobody joins or leaves meanwhile. */
  isChanging: boolean;
  /** One of its holders left it to the journal. */
  isLeft: boolean;
  /** What puts it back. */
  readonly undoing: AsyncDisposableStack;
}

export function createQuiescer(api: DockerApi, journal: Journal): Quiescer {
  const parts = new Map<string, Part>();
  const waiting = createWaiting();

  /** Resolves with the part once it is in this mode, or in none, as one more holder who is about to change it. */
  async function join(key: string, mode: Part['mode'], signal: AbortSignal | undefined): Promise<Part> {
    signal?.throwIfAborted();
    let part = parts.get(key);
    while (part && (part.isChanging || part.mode !== mode)) {
      await waiting.change(signal);
      part = parts.get(key);
    }
    part ??= { mode, holders: 0, isChanging: false, isLeft: false, undoing: new AsyncDisposableStack() };
    parts.set(key, part);
    part.holders += 1;
    part.isChanging = true;
    return part;
  }

  function changed(key: string, part: Part): void {
    part.isChanging = false;
    if (part.holders === 0) parts.delete(key);
    waiting.changed();
  }

  /** Whoever joins looks for itself: somebody may have started by hand what another holder had stopped. */
  async function hold(
    container: Container,
    mode: Part['mode'],
    quieten: (undoing: AsyncDisposableStack) => Promise<void>,
    signal: AbortSignal | undefined,
  ): Promise<Hold> {
    const key = keyOf(container);
    const part = await join(key, mode, signal);
    try {
      await quieten(part.undoing);
    } catch (error) {
      // It may be down all the same. When it cannot be put back now, the intent stays for the next start of the daemon.
      await letGo(part).catch(() => {});
      throw error;
    } finally {
      changed(key, part);
    }
    let isGiven = false;
    return {
      leave: () => {
        if (isGiven) return;
        isGiven = true;
        part.isLeft = true;
        part.holders -= 1;
        if (!part.isChanging) changed(key, part);
      },
      [Symbol.asyncDispose]: async () => {
        if (isGiven) return;
        isGiven = true;
        while (part.isChanging) await waiting.change();
        part.isChanging = true;
        try {
          await letGo(part);
        } finally {
          changed(key, part);
        }
      },
    };
  }

  /** The intent is on disk before the act, and settled after its undoing. */
  async function act(
    intent: Extract<Intent, { kind: 'stop' | 'pause' }>,
    doIt: () => Promise<void>,
    undo: () => Promise<void>,
    undoing: AsyncDisposableStack,
  ): Promise<void> {
    const done = await journal.intend(intent);
    undoing.defer(async () => {
      await undo();
      await done();
    });
    await doIt();
  }

  return {
    stop: (container, graceMs, signal) => {
      const role = roleOf(container);
      const quieten = async (undoing: AsyncDisposableStack) => {
        const state = await stateOf(api, container);
        if (state === 'paused') throw paused(container);
        // One in a restart loop is about to run: it must not do so while we work on its data, and afterwards it shall again.
        if (state !== 'running' && state !== 'restarting') return;
        const stop = () => api.stop(container.id, graceMs);
        await act({ kind: 'stop', container: role }, stop, () => startAgain(api, role), undoing);
      };
      return hold(container, 'stop', quieten, signal);
    },
    pause: (container, signal) => {
      const role = roleOf(container);
      const quieten = async (undoing: AsyncDisposableStack) => {
        const state = await stateOf(api, container);
        if (state !== 'running' && state !== 'restarting') return;
        const pause = () => freeze(api, container.id, signal);
        await act({ kind: 'pause', container: role }, pause, () => goOn(api, role), undoing);
      };
      return hold(container, 'pause', quieten, signal);
    },
    whileFree: async (container, work, signal) => {
      await using _free = await hold(container, 'free', async () => {}, signal);
      return await work();
    },
  };
}

/** Starts what we stopped, unless somebody did so already. */
export async function startAgain(api: DockerApi, role: ContainerRole): Promise<void> {
  const container = await rediscover(api, role);
  if (container.state !== 'running') await api.start(container.id);
}

/** Unpauses what we paused, unless somebody did so already or it is gone. */
export async function goOn(api: DockerApi, role: ContainerRole): Promise<void> {
  const container = await api.container(role.id);
  if (container?.state === 'paused') await api.unpause(container.id);
}

export function roleOf({ id, name, stack, service, number }: Container): ContainerRole {
  return { id, name, stack, service, number };
}

// --- utils ---

/** One holder less; the last puts it back. */
async function letGo(part: Part): Promise<void> {
  part.holders -= 1;
  if (part.holders === 0 && !part.isLeft) await part.undoing.disposeAsync();
}

/** The same for every container that plays this part. */
function keyOf({ stack, service, number, name }: Container): string {
  return JSON.stringify(stack ? [stack, service, number] : name);
}

const freezeAttempts = 10;

/**
 * Pauses it. On hosts with version 1 of cgroups the Engine gives up when a process is just coming up in the container, such
 * as that of a health check, and lets everything go on: https://github.com/opencontainers/runc/pull/2791.
 */
async function freeze(api: DockerApi, id: string, signal: AbortSignal | undefined): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await api.pause(id);
    } catch (error) {
      const isPassing = isLifeboatError(error, 'DOCKER_REFUSED') && error.message.includes('unable to freeze');
      if (!isPassing || attempt === freezeAttempts) throw error;
    }
    await sleep(500, undefined, { signal });
  }
}

/** Of one that is gone there is nothing to stop, unless a new one took its place. */
async function stateOf(api: DockerApi, container: Container): Promise<ContainerState | undefined> {
  const now = await api.container(container.id);
  if (now) return now.state;
  const other = await rediscover(api, container).catch((error: unknown) => {
    if (!isLifeboatError(error, 'SOURCE_NOT_FOUND')) throw error;
    return undefined;
  });
  if (!other) return undefined;
  throw new LifeboatError('SOURCE_REPLACED', `container ${container.name} was replaced meanwhile`, {
    hint: 'do it again, with the new one',
    retryable: true,
  });
}

function paused({ name, service }: Container): LifeboatError {
  return new LifeboatError('QUIESCE_FAILED', `service ${service} is paused, so it is not stopped`, {
    hint: `docker unpause ${name}`,
  });
}
