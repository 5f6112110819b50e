import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { LifeboatError } from '../domain/errors.ts';
import type { Container, ContainerState, Mount } from '../domain/types.ts';
import type { DockerApi, EngineFacts, HelperSpec, ImageFacts } from './api.ts';
import { callFailed, certificatesHint } from './call-failure.ts';
import { composeLabels, parseDependsOn } from './labels.ts';
import { negotiate } from './negotiate.ts';

/** No call but `wait`, `stop` and streams may take longer. */
const callDeadlineMs = 30_000;

export interface DockerAddress {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375`; absent means DOCKER_HOST or the usual socket. */
  readonly host?: string | undefined;
  readonly certPath?: string | undefined;
  readonly tlsVerify?: boolean | undefined;
  /** Forces an API version; absent means the newest both sides know. */
  readonly apiVersion?: string | undefined;
}

/** Connects and negotiates the API version. Rejects DOCKER_UNAVAILABLE or DOCKER_REFUSED with what to do. */
export async function connectDocker(address: DockerAddress): Promise<DockerApi> {
  const { default: Client } = await import('dockerode');
  const base = clientOptions(address);
  const engine = await negotiate(() => call('GET /version', () => new Client(base).version()), address.apiVersion);
  return dockerApi(new Client({ ...base, version: `v${engine.apiVersion}` }), engine);
}

/**
 * Everything is given explicitly: left alone, docker-modem prefers a socket in the home folder, takes any port 2376 for
 * TLS and lets DOCKER_CLIENT_TIMEOUT cut quiet connections.
 */
function clientOptions({ host, certPath, tlsVerify }: DockerAddress): Dockerode.DockerOptions {
  const url = host || 'unix:///var/run/docker.sock';
  if (url.startsWith('unix://')) return { socketPath: url.slice('unix://'.length), timeout: undefined as never };
  if (!/^(tcp|http|https):\/\//.test(url)) {
    throw new LifeboatError('DOCKER_UNAVAILABLE', `DOCKER_HOST "${url}" is not understood`, {
      hint: 'use unix:///path/to/docker.sock or tcp://host:port',
    });
  }
  const { hostname, port, protocol } = new URL(url.replace(/^tcp:/, 'http:'));
  const secure = tlsVerify === true || certPath !== undefined || protocol === 'https:';
  return {
    host: hostname,
    port: Number(port || (secure ? 2376 : 2375)),
    protocol: secure ? 'https' : 'http',
    timeout: undefined as never,
    ...(secure && certPath
      ? {
          ca: certificate(certPath, 'ca.pem'),
          cert: certificate(certPath, 'cert.pem'),
          key: certificate(certPath, 'key.pem'),
        }
      : {}),
  };
}

function certificate(folder: string, name: string): never {
  try {
    return readFileSync(join(folder, name)) as never; // The types of the library ask for text; Node takes both.
  } catch (error) {
    const what = `the Engine's certificates cannot be read: ${(error as Error).message}`;
    throw new LifeboatError('DOCKER_UNAVAILABLE', what, { hint: certificatesHint, cause: error });
  }
}

function dockerApi(client: Dockerode, engine: EngineFacts): DockerApi {
  const container = (id: string) => client.getContainer(id);
  const images = new Map<string, ImageFacts>();

  async function image(reference: string, signal?: AbortSignal) {
    const found = await call(
      `GET /images/${reference}/json`,
      () => client.getImage(reference).inspect(),
      signal,
      [404],
    );
    if (!found) return undefined;
    const facts = {
      id: found.Id,
      volumes: Object.keys(found.Config.Volumes ?? {}),
      labels: found.Config.Labels ?? {},
      user: found.Config.User ?? '',
    };
    images.set(found.Id, facts);
    return facts;
  }

  return {
    engine,
    hostName: async (signal) => (await call('GET /info', () => client.info(), signal)).Name,
    image,
    containers: async (labels, signal) => {
      const filters = { label: [...labels] };
      const found = await call(
        'GET /containers/json',
        (abortSignal) => client.listContainers({ all: true, filters, abortSignal }),
        signal,
      );
      return found.map((entry) => entry.Id);
    },
    container: async (id, signal) => {
      const found = await call(
        `GET /containers/${id}/json`,
        (abortSignal) => container(id).inspect({ abortSignal }),
        signal,
        [404],
      );
      if (!found) return undefined;
      const facts = images.get(found.Image) ?? (await image(found.Image, signal));
      return toContainer(found, facts);
    },
    createExec: async (id, spec, signal) => {
      const created = await call(
        `POST /containers/${id}/exec`,
        (abortSignal) =>
          container(id).exec({
            AttachStdin: true,
            AttachStdout: true,
            AttachStderr: true,
            Tty: false,
            Cmd: [...spec.argv],
            Env: toEnv(spec.env),
            ...(spec.user ? { User: spec.user } : {}),
            ...(spec.cwd ? { WorkingDir: spec.cwd } : {}),
            abortSignal,
          }),
        signal,
      );
      return created.id;
    },
    startExec: async (id, signal) =>
      rawSocket(
        `POST /exec/${id}/start`,
        await call(
          `POST /exec/${id}/start`,
          (abortSignal) => client.getExec(id).start({ hijack: true, stdin: true, abortSignal }),
          signal,
        ),
      ),
    exec: async (id, signal) => {
      const state = await call(
        `GET /exec/${id}/json`,
        (abortSignal) => client.getExec(id).inspect({ abortSignal }),
        signal,
        [404],
      );
      return state && { running: state.Running, exitCode: state.ExitCode ?? undefined };
    },
    createHelper: async (spec, signal) => {
      const created = await call(
        'POST /containers/create',
        (abortSignal) => client.createContainer({ ...toHelper(spec), abortSignal }),
        signal,
      );
      return created.id;
    },
    attach: async (id, signal) =>
      rawSocket(
        `POST /containers/${id}/attach`,
        await call(
          `POST /containers/${id}/attach`,
          (abortSignal) =>
            container(id).attach({ stream: true, stdin: true, stdout: true, stderr: true, hijack: true, abortSignal }),
          signal,
        ),
      ),
    start: async (id, signal) => {
      await call(`POST /containers/${id}/start`, (abortSignal) => container(id).start({ abortSignal }), signal, [304]);
    },
    stop: async (id, graceMs, signal) => {
      const t = Math.ceil(graceMs / 1000);
      await call(
        `POST /containers/${id}/stop`,
        (abortSignal) => container(id).stop({ t, abortSignal }),
        signal,
        [304],
        graceMs + callDeadlineMs,
      );
    },
    kill: async (id) => {
      await call(
        `POST /containers/${id}/kill`,
        (abortSignal) => container(id).kill({ abortSignal }),
        undefined,
        [404, 409, 500],
      );
    },
    pause: async (id, signal) => {
      await call(`POST /containers/${id}/pause`, (abortSignal) => container(id).pause({ abortSignal }), signal);
    },
    unpause: async (id, signal) => {
      await call(`POST /containers/${id}/unpause`, (abortSignal) => container(id).unpause({ abortSignal }), signal);
    },
    wait: async (id, signal) => {
      const ended = await call(
        `POST /containers/${id}/wait`,
        (abortSignal) => container(id).wait({ condition: 'not-running', abortSignal }),
        signal,
        [],
        Infinity,
      );
      return ended.StatusCode;
    },
    remove: (id) => removeContainer(() => container(id).remove({ force: true, v: false }), id),
    pathExists: async (id, path, signal) => {
      const found = await call(
        `HEAD /containers/${id}/archive`,
        (abortSignal) => container(id).infoArchive({ path, abortSignal }),
        signal,
        [404],
      );
      return found !== undefined;
    },
    archive: async (id, path, signal) => {
      const title = `GET /containers/${id}/archive`;
      const stream = await call(title, (abortSignal) => container(id).getArchive({ path, abortSignal }), signal, [404]);
      if (stream) return stream as Readable;
      throw new LifeboatError('OBJECT_NOT_FOUND', `${path} does not exist in the container`);
    },
    putArchive: async (id, folder, tar, signal) => {
      const title = `PUT /containers/${id}/archive`;
      try {
        const answer = await call(
          title,
          (abortSignal) => container(id).putArchive(tar, { path: folder, abortSignal }),
          signal,
          [],
          Infinity,
        );
        for await (const _ of answer); // The call completes only when its empty answer was read.
      } finally {
        tar.destroy(); // The library leaves the source open when the Engine answers early.
      }
    },
    volumes: async (labels, signal) => {
      const filters = { label: [...labels] };
      const found = await call(
        'GET /volumes',
        (abortSignal) => client.listVolumes({ filters: JSON.stringify(filters), abortSignal }),
        signal,
      );
      return (found.Volumes ?? []).map(({ Name }) => Name);
    },
    removeVolume: async (name) => {
      await call(
        `DELETE /volumes/${name}`,
        (abortSignal) => client.getVolume(name).remove({ abortSignal }),
        undefined,
        [404],
      );
    },
    events: async (filters, sinceSeconds, signal) => {
      const query = { filters: toFilters(filters), ...(sinceSeconds === undefined ? {} : { since: sinceSeconds }) };
      const stream = await call(
        'GET /events',
        (abortSignal) => client.getEvents({ ...query, abortSignal }),
        signal,
        [],
        Infinity,
      );
      return stream as Readable;
    },
  };
}

/** One call with its deadline; a status in `accepted` gives undefined instead of an error. */
async function call<T>(title: string, act: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal): Promise<T>;
async function call<T>(
  title: string,
  act: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
  accepted: readonly [],
  deadlineMs: number,
): Promise<T>;
async function call<T>(
  title: string,
  act: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
  accepted: readonly number[],
  deadlineMs?: number,
): Promise<T | undefined>;
async function call<T>(
  title: string,
  act: (signal: AbortSignal) => Promise<T>,
  signal?: AbortSignal,
  accepted: readonly number[] = [],
  deadlineMs = callDeadlineMs,
): Promise<T | undefined> {
  signal?.throwIfAborted();
  // Its own controller and timer: a pending AbortSignal.timeout would fire into a connection that was upgraded long ago.
  const controller = new AbortController();
  const timer = Number.isFinite(deadlineMs)
    ? setTimeout(() => controller.abort(deadline(title, deadlineMs)), deadlineMs)
    : undefined;
  const cancel = () => controller.abort(signal?.reason);
  signal?.addEventListener('abort', cancel, { once: true });
  // Raced, because some of the library's calls take no signal.
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  try {
    return await Promise.race([act(controller.signal), aborted]);
  } catch (thrown) {
    if (accepted.includes((thrown as { statusCode?: number }).statusCode ?? 0)) return undefined;
    throw callFailed(title, controller.signal.aborted ? controller.signal.reason : thrown);
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', cancel);
  }
}

function deadline(title: string, deadlineMs: number): LifeboatError {
  return new LifeboatError('DOCKER_UNAVAILABLE', `the Engine did not answer ${title} within ${deadlineMs / 1000} s`, {
    retryable: true,
  });
}

/** A removal that the Engine already works on (409), or that found nothing, is a removal. */
async function removeContainer(act: () => Promise<unknown>, id: string): Promise<void> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await call(`DELETE /containers/${id}`, act, undefined, [404, 409]);
      return;
    } catch (error) {
      if (attempt === 3) throw error;
      await sleep(200 * attempt);
    }
  }
}

/** docker-modem hands back something else when a proxy swallows the upgrade; writing to that loses data silently. */
function rawSocket(title: string, stream: unknown): Socket {
  if (stream instanceof Socket) return stream;
  throw new LifeboatError('DOCKER_REFUSED', `${title} gave no raw connection`, {
    hint: 'a proxy in front of the Engine does not pass "Upgrade: tcp"; use one that does, or the socket itself',
  });
}

function toEnv(env: Readonly<Record<string, string>> | undefined): string[] {
  return Object.entries(env ?? {}).map(([name, value]) => `${name}=${value}`);
}

function toFilters(filters: Readonly<Record<string, readonly string[]>>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(filters).map(([key, values]) => [key, [...values]]));
}

function toHelper(spec: HelperSpec): Dockerode.ContainerCreateOptions {
  return {
    name: spec.name,
    Image: spec.imageId,
    Entrypoint: [...spec.argv],
    Cmd: [],
    User: spec.user ?? '',
    WorkingDir: '/',
    Labels: { ...spec.labels },
    Healthcheck: { Test: ['NONE'] },
    OpenStdin: true,
    StdinOnce: true,
    AttachStdin: true,
    AttachStdout: true,
    AttachStderr: true,
    HostConfig: {
      Init: true,
      NetworkMode: spec.network,
      UsernsMode: spec.usernsMode,
      ReadonlyRootfs: true,
      CapDrop: ['ALL'],
      CapAdd: [...spec.capabilities],
      SecurityOpt: ['no-new-privileges', 'label=disable'],
      PidsLimit: 256,
      Memory: spec.memoryBytes,
      LogConfig: { Type: 'none', Config: {} },
      RestartPolicy: { Name: 'no' },
      Tmpfs: Object.fromEntries(spec.tmpfs.map((path) => [path, 'size=64m,mode=1777'])),
      Mounts: [
        ...spec.mounts.map((mount) => ({
          Type: mount.type,
          Source: mount.source,
          Target: mount.target,
          ReadOnly: mount.readOnly,
          ...(mount.type === 'volume'
            ? {
                VolumeOptions: {
                  NoCopy: true,
                  Labels: {},
                  DriverConfig: {} as never,
                  ...(mount.subpath ? { Subpath: mount.subpath } : {}),
                },
              }
            : {}),
        })),
        ...(spec.scratchVolume === undefined ? [] : [scratchMount(spec.scratchVolume, spec.labels)]),
      ],
    },
  };
}

/** A volume of our own name at /tmp. It is filled from the image, so it takes over the folder's mode: open to any user. */
function scratchMount(name: string, labels: Readonly<Record<string, string>>): Dockerode.MountSettings {
  return {
    Type: 'volume',
    Source: name,
    Target: '/tmp',
    VolumeOptions: { NoCopy: false, Labels: { ...labels }, DriverConfig: {} as never },
  };
}

const mountTypes: Record<string, Mount['type']> = { volume: 'volume', bind: 'bind', tmpfs: 'tmpfs' };

function toContainer(found: Dockerode.ContainerInspectInfo, image: ImageFacts | undefined): Container {
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

type Labels = Readonly<Record<string, string>>;

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
