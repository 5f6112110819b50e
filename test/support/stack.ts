import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runId } from './testbed.ts';

export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A Compose project with a sidecar, in a folder of its own; dispose of it to remove everything. */
export interface Stack extends AsyncDisposable {
  readonly project: string;
  readonly folder: string;
  compose(...args: string[]): Promise<Ended>;
  /** A command of the sidecar, through `docker compose exec`; never rejects for an exit code. */
  lifeboat(...args: string[]): Promise<Ended>;
  /** The same, but an exit code other than 0 rejects with what it said. */
  ok(...args: string[]): Promise<Ended>;
}

/** Any text as a value of a Compose file. */
export function composeText(text: string): string {
  return JSON.stringify(text.replaceAll('$', '$$$$'));
}

/** A PostgreSQL server for a Compose file, with an empty database `shop`; it is healthy when it takes logins. */
export const database = `  db:
    image: postgres:17
    environment: { POSTGRES_PASSWORD: x, POSTGRES_DB: shop }
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres"], interval: 1s, retries: 60 }
`;

let stacks = 0;

/**
 * Starts the services of a Compose file beside a sidecar. It sleeps, so that each command runs in place, unless the daemon
 * is asked for.
 */
export async function startStack(
  services: string,
  sidecar: Readonly<Record<string, string>> = {},
  runs: 'sleep' | 'daemon' = 'sleep',
): Promise<Stack> {
  stacks += 1;
  const project = `lb${runId}${process.pid}${stacks}`;
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-stack-'));
  await mkdir(join(folder, 'backups'));
  const environment = { LIFEBOAT_DEST_LOCAL_URL: 'file:///backups', LIFEBOAT_RESTORE_DELAY: '0s', ...sidecar };
  const lines = Object.entries(environment).map(([name, value]) => `      ${name}: ${JSON.stringify(value)}`);
  const file = `name: ${project}
services:
  sidecar:
    image: ${process.env.LIFEBOAT_TEST_IMAGE ?? 'lifeboat:test'}
${runs === 'sleep' ? '    entrypoint: ["tini", "--", "sleep", "infinity"]\n    healthcheck: { test: ["CMD", "true"], interval: 1s, retries: 60 }' : '    stop_grace_period: 30s'}
    read_only: true
    tmpfs: [/tmp, /run/lifeboat-control]
    volumes: ["/var/run/docker.sock:/var/run/docker.sock", "./backups:/backups", "sidecar-data:/data", "sidecar-run:/run/lifeboat"]
    environment:
${lines.join('\n')}
${services}
`.replace(
    '/var/run/docker.sock:',
    `${(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '')}:`,
  );
  // A test may bring a volume for helpers of its own kind.
  const volumes = `volumes:\n  sidecar-data:\n${/^ {2}sidecar-run:/m.test(services) ? '' : '  sidecar-run:\n'}`;
  const hasVolumes = /^volumes:/m.test(file);
  const text = hasVolumes ? file.replace(/^volumes:\n/m, volumes) : `${file}${volumes}`;
  await writeFile(join(folder, 'compose.yaml'), text);
  const compose = (...args: string[]) => run('docker', ['compose', '-f', join(folder, 'compose.yaml'), ...args]);
  const lifeboat = (...args: string[]) => compose('exec', '-T', 'sidecar', 'lifeboat', ...args);
  const ok = async (...args: string[]) => {
    const ended = await lifeboat(...args);
    if (ended.code === 0) return ended;
    throw new Error(`lifeboat ${args.join(' ')}: exit code ${ended.code}\n${ended.stdout}\n${ended.stderr}`);
  };
  const stack: Stack = {
    project,
    folder,
    compose,
    lifeboat,
    ok,
    [Symbol.asyncDispose]: async () => {
      await compose('down', '--volumes', '--timeout', '1', '--remove-orphans');
      await rm(folder, { recursive: true, force: true });
    },
  };
  const up = await compose('up', '-d', '--wait');
  if (up.code === 0) return stack;
  await stack[Symbol.asyncDispose]();
  throw new Error(`compose up: ${up.stderr}`);
}

export function run(program: string, args: readonly string[], input?: string | Buffer): Promise<Ended> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, [...args], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      stdout += chunk;
    });
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
      stderr += chunk;
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? -1, stdout, stderr }));
    child.stdin.on('error', () => {}); // A program that ends early is reported by its exit code.
    child.stdin.end(input);
  });
}
