import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import type { DockerApi } from '../../src/docker/api.ts';
import { connectDocker } from '../../src/docker/dockerode.ts';
import type { HelperOwner } from '../../src/docker/helper.ts';
import type { PipeFolder } from '../../src/docker/pipe-folder.ts';
import { createQuiescer, type Quiescer } from '../../src/docker/quiesce.ts';
import { createShell } from '../../src/docker/shell.ts';
import type { Shell } from '../../src/domain/shell.ts';

const run = promisify(execFile);

/** Everything a test run makes carries this label, so that a later run can reap what a killed one left. */
export const testLabel = 'lifeboat.test';
export const runId = `t${randomBytes(4).toString('hex')}`;

/** `npm run test:all`: every version, and not only the newest. */
export const everyVersion = process.env.LIFEBOAT_TEST_ALL === '1';

/** A password that breaks every careless quoting: quotes, spaces, newline, percent, dollar, backslash, unicode. */
export const nastyPassword = `p w"'$HOME%s\\n\`id\`\nü;--`;

/** The part of it that no quoting changes, for those who look whether it got out. */
export const nastyMark = '$HOME%s';

/** Runs the docker client; rejects with its standard error. */
export async function docker(...args: string[]): Promise<string> {
  const { stdout } = await run('docker', args, { maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

/** Runs the docker client with standard input. */
export function dockerWithInput(input: string | Buffer, ...args: string[]): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile('docker', args, { maxBuffer: 64 * 1024 * 1024 }, (error, stdout, stderr) =>
      error ? reject(new Error(`${error.message}\n${stderr}`)) : resolve(stdout.trim()),
    );
    child.stdin?.on('error', () => {}); // A client that ends early is reported by its exit code.
    child.stdin?.end(input);
  });
}

let shared: Promise<DockerApi> | undefined;

/** The Engine under test; fails loudly when there is none. */
export function testApi(): Promise<DockerApi> {
  shared ??= connectDocker({ host: process.env.DOCKER_HOST });
  return shared;
}

export interface ContainerOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly args?: readonly string[];
  /** Extra arguments of `docker run`. */
  readonly run?: readonly string[];
  /** Paths that get a named volume each, which goes with the container. */
  readonly volumes?: readonly string[];
  /** Its name, and that of its volumes: the one of a container that is gone, to take its place. */
  readonly name?: string;
}

let started = 0;

/** A container of this test run; dispose of it to remove it and its anonymous volumes. */
export async function startContainer(
  image: string,
  options: ContainerOptions = {},
): Promise<AsyncDisposable & { readonly id: string; readonly name: string }> {
  started += 1;
  const name = options.name ?? `lifeboat-${runId}-${process.pid}-${started}`;
  const volumes = (options.volumes ?? []).map((path, i) => ({ path, volume: `${name}-${i}` }));
  const env = Object.entries(options.env ?? {}).flatMap(([key, value]) => ['-e', `${key}=${value}`]);
  const id = await docker(
    'run',
    '-d',
    '--name',
    name,
    '--label',
    `${testLabel}=${runId}`,
    ...env,
    ...volumes.flatMap(({ path, volume }) => ['-v', `${volume}:${path}`]),
    ...(options.run ?? []),
    image,
    ...(options.args ?? []),
  );
  return {
    id,
    name,
    [Symbol.asyncDispose]: async () => {
      await docker('rm', '-f', '-v', name);
      if (volumes.length > 0) await docker('volume', 'rm', ...volumes.map(({ volume }) => volume));
    },
  };
}

/** Repeats until the probe resolves; rejects with its last failure. */
export async function eventually<T>(probe: () => Promise<T>, timeoutMs = 60_000): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    try {
      return await probe();
    } catch (error) {
      if (performance.now() > deadline) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
}

/** A volume for named pipes, as the sidecar has at /run/lifeboat; the tests reach it where the Engine keeps it. */
export async function pipeFolder(): Promise<PipeFolder & AsyncDisposable> {
  started += 1;
  const volume = `lifeboat-${runId}-${process.pid}-${started}-pipes`;
  await docker('volume', 'create', '--label', `${testLabel}=${runId}`, volume);
  const path = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', volume);
  return { volume, path, [Symbol.asyncDispose]: async () => void (await docker('volume', 'rm', volume)) };
}

/** What a test that does not die stops and pauses is written down nowhere. */
export const forgetful = (api: DockerApi): Quiescer => createQuiescer(api, { intend: async () => async () => {} });

/** The door an engine gets, for a container of a test. */
export async function shellOf(id: string, more: Partial<HelperOwner> = {}): Promise<Shell> {
  const api = await testApi();
  const container = await api.container(id);
  if (!container) throw new Error(`container ${id} is gone`);
  return createShell(
    api,
    { id: runId, run: runId, ownImage: process.env.LIFEBOAT_TEST_IMAGE, ...more },
    forgetful(api),
    container,
    10_000,
  );
}
