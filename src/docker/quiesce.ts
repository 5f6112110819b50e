import type { ContainerRole, Journal } from '../domain/journal.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { rediscover } from './discovery.ts';

/**
 * Stops a container, with the intent on disk first. Disposing starts it again, found by its Compose identity when it was
 * recreated meanwhile; a container that was not running is left as it was.
 */
export async function stopContainer(
  api: DockerApi,
  journal: Journal,
  container: Container,
  graceMs: number,
): Promise<AsyncDisposable> {
  const role = roleOf(container);
  const now = await api.container(container.id);
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
