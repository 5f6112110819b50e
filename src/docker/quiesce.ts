import { isLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { ContainerRole, Journal } from '../domain/journal.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { rediscover } from './discovery.ts';

/**
 * Stops a container, with the intent on disk first. Disposing starts it again, found by its Compose identity when it was
 * recreated meanwhile; a container that was not running is left as it was. Rejects SOURCE_REPLACED when another container
 * plays its part by now, and QUIESCE_FAILED when it is paused: it would go on with files that were changed under it.
 */
export async function stopContainer(
  api: DockerApi,
  journal: Journal,
  container: Container,
  graceMs: number,
): Promise<AsyncDisposable> {
  const role = roleOf(container);
  const now = await api.container(container.id);
  if (!now) await assertGone(api, role);
  if (now?.state === 'paused') throw paused(container);
  // One in a restart loop is about to run: it must not do so while we work on its data, and afterwards it shall again.
  const runs = now?.state === 'running' || now?.state === 'restarting';
  if (!runs) return { [Symbol.asyncDispose]: async () => {} };
  const done = await journal.intend({ kind: 'stop', container: role });
  try {
    await api.stop(container.id, graceMs);
  } catch (error) {
    // It may have stopped all the same. When it cannot be started now, the intent stays for the next start of the daemon.
    await startAgain(api, role).then(done, () => {});
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await startAgain(api, role);
      await done();
    },
  };
}

/** Pauses a container, with the intent on disk first; disposing lets it go on. */
export async function pauseContainer(api: DockerApi, journal: Journal, container: Container): Promise<AsyncDisposable> {
  const role = roleOf(container);
  const done = await journal.intend({ kind: 'pause', container: role });
  try {
    await api.pause(container.id);
  } catch (error) {
    await goOn(api, role).then(done, () => {});
    throw error;
  }
  return {
    [Symbol.asyncDispose]: async () => {
      await goOn(api, role);
      await done();
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

/** A container that is gone needs no stop, unless a new one took its place. */
async function assertGone(api: DockerApi, role: ContainerRole): Promise<void> {
  const other = await rediscover(api, role).catch((error: unknown) => {
    if (!isLifeboatError(error, 'SOURCE_NOT_FOUND')) throw error;
    return undefined;
  });
  if (!other) return;
  throw new LifeboatError('SOURCE_REPLACED', `container ${role.name} was replaced meanwhile`, {
    hint: 'do it again, with the new one',
    retryable: true,
  });
}

function paused({ name, service }: Container): LifeboatError {
  return new LifeboatError('QUIESCE_FAILED', `service ${service} is paused, so it is not stopped`, {
    hint: `docker unpause ${name}`,
  });
}
