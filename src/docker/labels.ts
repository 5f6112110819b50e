import type { Dependency } from '../domain/types.ts';

/** Labels that Compose sets (compose: pkg/api/labels.go). */
export const composeLabels = {
  project: 'com.docker.compose.project',
  service: 'com.docker.compose.service',
  number: 'com.docker.compose.container-number',
  oneoff: 'com.docker.compose.oneoff',
  hook: 'com.docker.compose.hook',
  dependsOn: 'com.docker.compose.depends_on',
} as const;

/** Marks containers that Lifeboat made; discovery never looks at them. */
export const roleLabel = 'lifeboat.role';
/** What an image says it is; see our own Dockerfile. */
export const titleLabel = 'org.opencontainers.image.title';
export const ownerLabel = 'lifeboat.owner';
const runLabel = 'lifeboat.run';

export function helperLabels(owner: { readonly id: string; readonly run: string }): Record<string, string> {
  return { [roleLabel]: 'helper', [ownerLabel]: owner.id, [runLabel]: owner.run };
}

/** `db:service_healthy:false,redis:service_started:true` → dependencies; old Compose writes names only. */
export function parseDependsOn(label: string | undefined): Dependency[] {
  return (label ?? '')
    .split(',')
    .filter((entry) => entry !== '')
    .map((entry) => {
      const [service = '', condition] = entry.split(':');
      const known = condition === 'service_healthy' || condition === 'service_completed_successfully';
      return { service, condition: known ? condition : 'service_started' };
    });
}
