import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import type { Check } from '../domain/check.ts';
import { isLifeboatError } from '../domain/errors.ts';
import type { DockerApi, HelperSpec } from './api.ts';
import { bounded } from './bounded.ts';

const callMs = 5_000;

/**
 * A container, exec, image or volume that does not exist: an allowed call gets a 404, and nothing happens. It looks like an
 * id, as proxies filter by that: `lifeboat` in hexadecimal, then chance.
 */
const ghost = `6c696665626f6174${randomBytes(24).toString('hex')}`;

/** The sections of the API as the Tecnativa and linuxserver proxies switch them. */
type Section = 'CONTAINERS' | 'EXEC' | 'IMAGES' | 'VOLUMES' | 'EVENTS';

interface Endpoint {
  readonly title: string;
  readonly section: Section;
  /** A switch of its own beside `POST`. */
  readonly own?: string;
  call(api: DockerApi, signal: AbortSignal): Promise<unknown>;
}

interface Feature {
  readonly name: string;
  /** What does not work without it. */
  readonly without: string;
  readonly status: 'warn' | 'fail';
  readonly endpoints: readonly Endpoint[];
}

const endpoint = (title: string, section: Section, call: Endpoint['call'], own?: string): Endpoint => ({
  title,
  section,
  call,
  ...(own ? { own } : {}),
});

/** Everything that Lifeboat calls beside `GET /version`, by what it is for (docs/how-to/socket-proxy.md). */
const features: readonly Feature[] = [
  {
    name: 'discovery',
    without: 'the containers cannot be found',
    status: 'fail',
    endpoints: [
      endpoint('GET /containers/json', 'CONTAINERS', (api, signal) => api.containers([ghost], signal)),
      endpoint('GET /containers/{id}/json', 'CONTAINERS', (api, signal) => api.container(ghost, signal)),
      endpoint('HEAD /containers/{id}/archive', 'CONTAINERS', (api, signal) => api.pathExists(ghost, '/', signal)),
      endpoint('GET /images/{ref}/json', 'IMAGES', (api, signal) => api.image(ghost, signal)),
      endpoint('GET /volumes', 'VOLUMES', (api, signal) => api.volumes([ghost], signal)),
    ],
  },
  {
    name: 'exec',
    without: 'nothing can be backed up or restored',
    status: 'fail',
    endpoints: [
      endpoint('POST /containers/{id}/exec', 'CONTAINERS', (api, signal) =>
        api.createExec(ghost, { argv: ['true'] }, signal),
      ),
      endpoint('POST /exec/{id}/start', 'EXEC', (api, signal) => api.startExec(ghost, signal)),
      endpoint('GET /exec/{id}/json', 'EXEC', (api, signal) => api.exec(ghost, signal)),
    ],
  },
  {
    name: 'stop and start',
    without: 'a restore cannot stop and start the services that use the data',
    status: 'fail',
    endpoints: [
      endpoint('POST /containers/{id}/stop', 'CONTAINERS', (api, signal) => api.stop(ghost, 0, signal), 'ALLOW_STOP'),
      endpoint('POST /containers/{id}/start', 'CONTAINERS', (api, signal) => api.start(ghost, signal), 'ALLOW_START'),
    ],
  },
  {
    name: 'helpers',
    without: 'dumps go through slow execs, and what needs a volume or another image cannot be done',
    status: 'warn',
    endpoints: [
      endpoint('POST /containers/create', 'CONTAINERS', (api, signal) => api.createHelper(ghostHelper, signal)),
      endpoint('POST /containers/{id}/attach', 'CONTAINERS', (api, signal) => api.attach(ghost, signal)),
      endpoint('POST /containers/{id}/wait', 'CONTAINERS', (api, signal) => api.wait(ghost, signal)),
      endpoint('POST /containers/{id}/kill', 'CONTAINERS', (api) => api.kill(ghost), 'ALLOW_RESTARTS'),
      endpoint('DELETE /containers/{id}', 'CONTAINERS', (api) => api.remove(ghost)),
      endpoint('DELETE /volumes/{name}', 'VOLUMES', (api) => api.removeVolume(ghost)),
    ],
  },
  {
    name: 'pause',
    without: 'SQLite files cannot be copied where no helper can be made',
    status: 'warn',
    endpoints: [
      endpoint('POST /containers/{id}/pause', 'CONTAINERS', (api, signal) => api.pause(ghost, signal)),
      endpoint('POST /containers/{id}/unpause', 'CONTAINERS', (api, signal) => api.unpause(ghost, signal)),
    ],
  },
  {
    name: 'files of containers',
    without: "files in a container's own layer can be neither read nor put back",
    status: 'warn',
    endpoints: [
      endpoint('GET /containers/{id}/archive', 'CONTAINERS', (api, signal) => api.archive(ghost, '/', signal)),
      endpoint('PUT /containers/{id}/archive', 'CONTAINERS', (api, signal) =>
        api.putArchive(ghost, '/', Readable.from([Buffer.alloc(1024)]), signal),
      ),
    ],
  },
  {
    name: 'events',
    without: 'containers that come and go are noticed within five minutes, not at once',
    status: 'warn',
    endpoints: [
      endpoint('GET /events', 'EVENTS', async (api, signal) => {
        const soon = Math.floor(Date.now() / 1000);
        (await api.events({ type: ['container'] }, soon, signal)).on('error', () => {}).destroy();
      }),
    ],
  },
];

/** Calls every endpoint with something that does not exist, and names exactly those that a proxy refuses. */
export async function checkPermissions(api: DockerApi, signal: AbortSignal): Promise<readonly Check[]> {
  const tried = await Promise.all(
    features.flatMap(({ endpoints }) =>
      endpoints.map(async (each) => {
        const { error } = await bounded(callMs, signal, (late) => each.call(api, late));
        return { endpoint: each, error };
      }),
    ),
  );
  const answers = new Map(tried.map(({ endpoint: each, error }) => [each, error]));
  const isDenied = (each: Endpoint) => isProxyRefusal(answers.get(each));
  const allowed = new Set(answers.keys().filter((each) => !isDenied(each)));
  return features.map((feature): Check => {
    const denied = feature.endpoints.filter(isDenied);
    const failure = feature.endpoints
      .map((each) => ({ each, error: answers.get(each) }))
      .find(({ error }) => isLifeboatError(error, 'DOCKER_UNAVAILABLE'));
    const base = { category: 'engine', name: feature.name };
    if (denied.length > 0) {
      const titles = denied.map(({ title }) => title).join(', ');
      return {
        ...base,
        status: feature.status,
        message: `the socket proxy does not allow ${titles}: ${feature.without}`,
        hint: `allow it in the proxy (${switchesFor(denied, allowed).join(' ')} with Tecnativa's); docs/how-to/socket-proxy.md lists what each feature needs`,
      };
    }
    if (failure?.error)
      return {
        ...base,
        status: 'fail',
        message: `${failure.each.title}: ${failure.error.message}`,
        hint: failure.error.hint,
      };
    return { ...base, status: 'pass', message: 'every call that it takes is allowed' };
  });
}

/** What a Tecnativa proxy lacks, concluded from what it lets through: its sections, and `POST` for all that changes. */
function switchesFor(denied: readonly Endpoint[], allowed: ReadonlySet<Endpoint>): readonly string[] {
  const reads = ({ title }: Endpoint) => /^(?:GET|HEAD) /.test(title);
  const isSectionOn = (section: Section) => allowed.values().some((each) => each.section === section);
  const isPostOn = allowed.values().some((each) => !reads(each) && !each.own);
  const lacking = denied.flatMap((each) => {
    const isOn = isSectionOn(each.section);
    if (reads(each)) return isOn ? [] : [`${each.section}=1`];
    if (isOn && isPostOn) return [each.own ? `${each.own}=1` : `${each.section}=1 POST=1`];
    return [...(isOn ? [] : [`${each.section}=1`]), ...(isPostOn ? [] : ['POST=1'])];
  });
  return [...new Set(lacking.length > 0 ? lacking : denied.map(({ section }) => `${section}=1`))];
}

// --- utils ---

/** The Engine's own refusals carry its status. */
function isProxyRefusal(error: unknown): boolean {
  return isLifeboatError(error, 'DOCKER_REFUSED') && error.context.status === undefined;
}

const ghostHelper: HelperSpec = {
  name: ghost,
  imageId: ghost,
  argv: ['true'],
  network: 'none',
  mounts: [],
  tmpfs: [],
  capabilities: [],
  usernsMode: '',
  memoryBytes: 64 * 1024 ** 2,
  labels: {},
};
