import type { Settings } from '../config/settings.ts';
import type { DockerAddress } from '../docker/address.ts';
import type { DockerApi } from '../docker/api.ts';
import type { Scope } from '../docker/discovery.ts';
import { connectDocker } from '../docker/dockerode.ts';
import type { PipeFolder } from '../docker/pipe-folder.ts';
import { findSelf } from '../docker/self.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Container } from '../domain/types.ts';
import { controlSocketVariable } from '../domain/wire.ts';

/** The connection to the Docker Engine, and who we are there. */
export interface EngineLink {
  readonly api: DockerApi;
  /** Our own container; undefined when we run on a host. */
  readonly self: Container | undefined;
  /** The name of the host; undefined where a proxy keeps it from us. */
  readonly host: string | undefined;
  readonly scope: Scope;
  /** The Compose projects in scope. */
  readonly projects: readonly string[];
  /** Under which name and image helpers are made. */
  readonly owner: {
    readonly id: string;
    readonly ownImage: string | undefined;
    readonly pipes: PipeFolder | undefined;
  };
}

/** Variables of the environment that are ours but no configuration. */
export const internalVariables = ['LIFEBOAT_SELF', 'LIFEBOAT_HELPER_IMAGE', controlSocketVariable];

export async function linkEngine(settings: Settings, environment: NodeJS.ProcessEnv): Promise<EngineLink> {
  const { LIFEBOAT_SELF: override, LIFEBOAT_HELPER_IMAGE: image } = environment;
  const api = await connectDocker(addressOf(settings, environment));
  const self = await findSelf(api, override);
  const projects = projectsOf(settings, self);
  const scope: Scope = settings.discovery === 'host' ? { kind: 'host' } : { kind: 'projects', names: projects };
  const id = `${projects.join('+') || 'host'}/${self?.service ?? 'lifeboat'}`;
  // Only for messages: who may not know it is served all the same.
  const hostName = await api.hostName().catch(() => undefined);
  return {
    api,
    self,
    host: hostName,
    scope,
    projects,
    owner: { id, ownImage: image ?? self?.imageId, pipes: pipesOf(self) },
  };
}

/** Where the Engine is. */
export function addressOf({ docker }: Settings, environment: NodeJS.ProcessEnv): DockerAddress {
  const { DOCKER_CERT_PATH: certPath, DOCKER_TLS_VERIFY: verify } = environment;
  const { host, apiVersion } = docker;
  return { host, apiVersion, certPath, tlsVerify: verify === '1' };
}

const pipePath = '/run/lifeboat';

/** The image declares a volume there, so every sidecar has one; a bind mount cannot be shared by part. */
function pipesOf(self: Container | undefined): PipeFolder | undefined {
  const mount = self?.mounts.find(({ type, target }) => type === 'volume' && target === pipePath);
  return mount?.name ? { path: pipePath, volume: mount.name } : undefined;
}

function projectsOf(settings: Settings, self: Container | undefined): readonly string[] {
  if (settings.discovery === 'host') return [];
  if (settings.discovery === 'projects') return settings.projects;
  if (self?.stack) return [self.stack];
  throw new LifeboatError(
    'CONFIG_INVALID',
    'Lifeboat does not run in a Compose project, so it cannot know which containers are its own',
    { hint: 'set LIFEBOAT_DISCOVERY=projects and LIFEBOAT_PROJECTS=name, or LIFEBOAT_DISCOVERY=host' },
  );
}
