import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { rediscover } from './discovery.ts';

const patienceMs = 120_000;
const lookEveryMs = 500;

/** Resolves when a container that was started runs and, where it has a health check, is healthy. */
export async function settled(api: DockerApi, before: Container, signal: AbortSignal): Promise<void> {
  for (let waited = 0; waited < patienceMs; waited += lookEveryMs) {
    const container = await rediscover(api, before);
    if (container.state === 'running' && (container.health === undefined || container.health === 'healthy')) return;
    if (container.state === 'exited') throw stays(container, 'exited right after it was started');
    await sleep(lookEveryMs, undefined, { signal });
  }
  throw stays(before, 'did not become healthy within two minutes');
}

function stays(container: Container, how: string): LifeboatError {
  return new LifeboatError('QUIESCE_FAILED', `service ${container.service} ${how}`, {
    hint: `docker logs ${container.name}`,
  });
}
