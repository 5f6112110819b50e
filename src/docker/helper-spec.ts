import { LifeboatError } from '../domain/errors.ts';
import type { Command, Place } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi, HelperSpec } from './api.ts';
import type { HelperOwner } from './helper.ts';
import { helperLabels } from './labels.ts';

let created = 0;

/** What fits into the tmpfs that every helper has at /tmp; more goes into a volume made for it. */
const tmpfsBytes = 64 * 1024 ** 2;

/** What the helper of a command is made of: the image there is, the mounts as the Engine takes them, a name of its own. */
export async function specOf(
  api: DockerApi,
  owner: HelperOwner,
  container: Container,
  command: Command,
  place: Extract<Place, { kind: 'helper' }>,
  argv: readonly string[],
): Promise<HelperSpec> {
  const reference = place.image === 'own' ? owner.ownImage : (place.image ?? container.imageId);
  if (!reference) {
    throw new LifeboatError('DOCKER_REFUSED', "Lifeboat's own image is not known, so no helper of it can be started", {
      hint: 'run Lifeboat as a container, or name its image with LIFEBOAT_HELPER_IMAGE',
    });
  }
  const image = await api.image(reference);
  if (!image) {
    throw new LifeboatError('TOOL_MISSING', `image ${reference} is not on this host`, {
      hint: `docker pull ${reference}`,
    });
  }
  const mounts = (place.mounts ?? []).map(({ mount, target, readOnly }) => {
    const type = mount.type === 'volume' ? ('volume' as const) : ('bind' as const);
    const source = mount.type === 'volume' ? mount.name : mount.source;
    if (!source) throw new LifeboatError('INTERNAL', `mount ${mount.target} of ${container.name} has no source`);
    return { type, source, target, readOnly, ...(mount.subpath ? { subpath: mount.subpath } : {}) };
  });
  created += 1;
  const name = `lifeboat-helper-${owner.run}-${process.pid}-${created}`;
  const scratchVolume = (place.scratchBytes ?? 0) > tmpfsBytes ? `${name}-scratch` : undefined;
  const covered = new Set([...mounts.map((mount) => mount.target), ...(scratchVolume ? ['/tmp'] : [])]);
  return {
    name,
    imageId: image.id,
    argv,
    user: command.user,
    network: place.network === 'target' ? `container:${container.id}` : 'none',
    mounts,
    tmpfs: ['/tmp', ...image.volumes].filter((path) => !covered.has(path)),
    scratchVolume,
    capabilities: place.capabilities ?? [],
    usernsMode: container.usernsMode,
    memoryBytes: place.memoryBytes ?? 1024 ** 3,
    labels: helperLabels(owner),
  };
}
