import { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import type Dockerode from 'dockerode';
import { LifeboatError } from '../domain/errors.ts';
import { connectionOptions, type DockerAddress } from './address.ts';
import type { DockerApi, EngineFacts, ImageFacts } from './api.ts';
import { call, callDeadlineMs } from './call.ts';
import { helperRequest } from './helper-request.ts';
import { toContainer } from './inspected.ts';
import { negotiate } from './negotiate.ts';

/** Connects and negotiates the API version. Rejects DOCKER_UNAVAILABLE or DOCKER_REFUSED with what to do. */
export async function connectDocker(address: DockerAddress): Promise<DockerApi> {
  const { default: Client } = await import('dockerode');
  const base = connectionOptions(address);
  const engine = await negotiate(() => call('GET /version', () => new Client(base).version()), address.apiVersion);
  return dockerApi(new Client({ ...base, version: `v${engine.apiVersion}` }), engine);
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
        (abortSignal) => client.createContainer({ ...helperRequest(spec), abortSignal }),
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

// --- utils ---

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
