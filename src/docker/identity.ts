import { LifeboatError } from '../domain/errors.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';

const againHint =
  'do it again; if it returns, move the schedule away from deployments, and see docker logs for crashes';

/**
 * Resolves when the container is still the very one that was discovered: same id, same start, not restarted, not paused.
 * A dump that began in one life of a container must not end in another.
 */
export async function checkIdentity(api: DockerApi, before: Container): Promise<void> {
  const now = await api.container(before.id);
  if (!now || now.state === 'removing') {
    throw new LifeboatError('SOURCE_REPLACED', `container ${before.name} was removed meanwhile`, {
      hint: againHint,
      retryable: true,
    });
  }
  if (now.state === 'paused') {
    throw new LifeboatError('SOURCE_NOT_RUNNING', `container ${before.name} is paused`, {
      hint: `docker unpause ${before.name}`,
      retryable: true,
    });
  }
  if (now.state !== 'running') {
    const why = now.oomKilled ? ' (killed: out of memory)' : '';
    throw new LifeboatError('SOURCE_NOT_RUNNING', `container ${before.name} is not running but ${now.state}${why}`, {
      hint: `docker compose up -d ${before.service}; why it ended: docker logs ${before.name}`,
      retryable: true,
    });
  }
  if (now.startedAt !== before.startedAt || now.restartCount !== before.restartCount) {
    throw new LifeboatError('SOURCE_REPLACED', `container ${before.name} was restarted meanwhile`, {
      hint: againHint,
      retryable: true,
    });
  }
}
