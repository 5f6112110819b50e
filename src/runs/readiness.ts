import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../domain/errors.ts';
import type { Container } from '../domain/types.ts';
import type { RunContext } from './context.ts';

/** How long a service may take to become ready before its backup fails. */
const patienceMs = 120_000;
const lookEveryMs = 1_000;

/**
 * The container as it is now, once it runs and is not unhealthy; a health check that is still starting is waited for.
 * Rejects SOURCE_NOT_RUNNING or SOURCE_UNHEALTHY with the reason.
 */
export async function waitUntilReady(context: RunContext, before: Container, signal: AbortSignal): Promise<Container> {
  for (let waited = 0; ; waited += lookEveryMs) {
    signal.throwIfAborted();
    const container = await context.refresh(before, signal);
    if (container.state === 'running' && (container.health === undefined || container.health === 'healthy'))
      return container;
    const isHopeless =
      container.state !== 'running' && container.state !== 'restarting' && container.state !== 'created';
    if (isHopeless || waited >= patienceMs) throw notReady(container);
    await sleep(lookEveryMs, undefined, { signal });
  }
}

function notReady(container: Container): LifeboatError {
  if (container.state !== 'running') {
    const how =
      container.state === 'paused' ? `docker unpause ${container.name}` : `docker compose up -d ${container.service}`;
    return new LifeboatError(
      'SOURCE_NOT_RUNNING',
      `service ${container.service} is not running but ${container.state}`,
      { hint: how, retryable: true },
    );
  }
  return new LifeboatError(
    'SOURCE_UNHEALTHY',
    `service ${container.service} is ${container.health} according to its health check`,
    {
      hint: `docker inspect ${container.name} --format '{{json .State.Health}}'`,
      retryable: true,
    },
  );
}
