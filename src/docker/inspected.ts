import type { Container, ContainerState, Mount } from '../domain/types.ts';
import type { ImageFacts } from './api.ts';
import { composeLabels, parseDependsOn } from './labels.ts';

/** What is read of the Engine's answer about a container, in its own words. */
export interface InspectedContainer {
  readonly Id: string;
  readonly Name: string;
  readonly Image: string;
  readonly Path: string;
  readonly Args: readonly string[];
  readonly RestartCount: number;
  readonly State: {
    readonly Status: string;
    readonly StartedAt: string;
    readonly OOMKilled: boolean;
    readonly Health?: { readonly Status: string } | undefined;
  };
  readonly Config: {
    readonly Image: string;
    readonly User?: string;
    readonly Env?: readonly string[];
    readonly Labels?: Labels;
  };
  readonly HostConfig: {
    readonly NetworkMode?: string | undefined;
    readonly UsernsMode?: string | undefined;
    readonly Mounts?:
      | readonly {
          readonly Target: string;
          readonly VolumeOptions?: { readonly Subpath?: string | undefined } | undefined;
        }[]
      | undefined;
  };
  readonly Mounts: readonly {
    readonly Type: string;
    readonly Name?: string | undefined;
    readonly Source: string;
    readonly Destination: string;
    readonly RW: boolean;
  }[];
}

type Labels = Readonly<Record<string, string>>;

/** The container in our words; `image` is what it was made from, undefined when that is gone. */
export function toContainer(found: InspectedContainer, image: ImageFacts | undefined): Container {
  const { own: labels, baked: imageLabels } = sortLabels(found.Config.Labels ?? {}, image?.labels ?? {});
  const health = found.State.Health?.Status;
  const known = health === 'starting' || health === 'healthy' || health === 'unhealthy';
  return {
    id: found.Id,
    name: found.Name.replace(/^\//, ''),
    stack: labels[composeLabels.project] ?? '',
    service: labels[composeLabels.service] ?? found.Name.replace(/^\//, ''),
    number: Number(labels[composeLabels.number] ?? 1),
    image: found.Config.Image,
    imageId: found.Image,
    env: Object.fromEntries(
      found.Config.Env?.map((entry) => [entry.split('=', 1)[0] ?? '', entry.slice(entry.indexOf('=') + 1)]) ?? [],
    ),
    labels,
    imageLabels,
    command: [found.Path, ...found.Args],
    user: found.Config.User ?? '',
    state: found.State.Status as ContainerState,
    health: known ? health : undefined,
    startedAt: found.State.StartedAt,
    restartCount: found.RestartCount,
    oomKilled: found.State.OOMKilled,
    mounts: found.Mounts.map((mount) => ({
      type: mountTypes[mount.Type] ?? 'other',
      name: mount.Name,
      source: mount.Source,
      target: mount.Destination,
      // Only what was asked for names it; the mount itself looks like one of the whole volume.
      subpath: found.HostConfig.Mounts?.find(({ Target }) => Target === mount.Destination)?.VolumeOptions?.Subpath,
      readOnly: !mount.RW,
    })),
    imageVolumes: image?.volumes ?? [],
    dependsOn: parseDependsOn(labels[composeLabels.dependsOn]),
    networkMode: found.HostConfig.NetworkMode ?? '',
    usernsMode: found.HostConfig.UsernsMode ?? '',
  };
}

// --- utils ---

const mountTypes: Readonly<Record<string, Mount['type']>> = { volume: 'volume', bind: 'bind', tmpfs: 'tmpfs' };

/**
 * A container has the labels of its image too, and whoever made that image must not configure anything here. Compose's own
 * are no sign of that: it writes them into every image that it builds.
 */
function sortLabels(all: Labels, ofImage: Labels): { readonly own: Labels; readonly baked: Labels } {
  const isBaked = ([name, value]: [string, string]) =>
    Object.hasOwn(ofImage, name) && ofImage[name] === value && !name.startsWith('com.docker.compose.');
  const { own = [], baked = [] } = Object.groupBy(Object.entries(all), (label) => (isBaked(label) ? 'baked' : 'own'));
  return { own: Object.fromEntries(own), baked: Object.fromEntries(baked) };
}
