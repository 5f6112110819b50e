import { LifeboatError } from '../domain/errors.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { composeLabels, roleLabel, titleLabel } from './labels.ts';

/** Whose containers are looked at. */
export type Scope = { readonly kind: 'projects'; readonly names: readonly string[] } | { readonly kind: 'host' };

/**
 * The containers in scope, without one-off runs, Compose's hook containers, our own helpers and ourselves; ordered by
 * stack, service and number.
 */
export async function discover(
  api: DockerApi,
  scope: Scope,
  selfId: string | undefined,
  signal?: AbortSignal,
): Promise<readonly Container[]> {
  const ids = new Set<string>();
  const filters = scope.kind === 'host' ? [[]] : scope.names.map((name) => [`${composeLabels.project}=${name}`]);
  for (const labels of filters) for (const id of await api.containers(labels, signal)) ids.add(id);
  const found = await Promise.all([...ids].map((id) => api.container(id, signal)));
  return found
    .filter((container) => container !== undefined)
    .filter((container) => container.id !== selfId && !isTransient(container))
    .sort((a, b) => a.stack.localeCompare(b.stack) || a.service.localeCompare(b.service) || a.number - b.number);
}

/** Every container of the Engine, one-off runs as well, but neither ourselves nor other sidecars and their helpers. */
export async function neighbours(
  api: DockerApi,
  selfId: string | undefined,
  signal?: AbortSignal,
): Promise<readonly Container[]> {
  const found = await Promise.all((await api.containers([], signal)).map((id) => api.container(id, signal)));
  return found
    .filter((container) => container !== undefined)
    .filter(({ id, labels, imageLabels }) => {
      const isLifeboat = labels[roleLabel] !== undefined || imageLabels?.[titleLabel] === 'Lifeboat';
      return id !== selfId && !isLifeboat;
    });
}

/** The container that plays this part now. Ids change when Compose recreates a container; stack, service and number do not. */
export async function rediscover(
  api: DockerApi,
  before: Pick<Container, 'stack' | 'service' | 'number' | 'name' | 'id'>,
): Promise<Container> {
  const labels = before.stack
    ? [
        `${composeLabels.project}=${before.stack}`,
        `${composeLabels.service}=${before.service}`,
        `${composeLabels.number}=${before.number}`,
      ]
    : undefined;
  // Without Compose a container that was made anew is known by its name alone.
  const ids = labels ? await api.containers(labels) : [before.id, before.name];
  const found = (await Promise.all(ids.map((id) => api.container(id)))).filter(
    (container) => container !== undefined && !isTransient(container),
  );
  const container = found.find((candidate) => candidate?.state === 'running') ?? found[0];
  if (container) return container;
  throw new LifeboatError('SOURCE_NOT_FOUND', `service ${before.service} has no container any more`, {
    hint: `docker compose up -d ${before.service}`,
  });
}

function isTransient(container: Container): boolean {
  return (
    container.labels[composeLabels.oneoff]?.toLowerCase() === 'true' ||
    container.labels[composeLabels.hook] !== undefined ||
    container.labels[roleLabel] !== undefined
  );
}
