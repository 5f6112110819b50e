import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Status } from '../../src/runs/status/status.ts';
import { postgresReady, psql as query } from './postgres.ts';
import type { Ended } from './stack.ts';
import { docker, eventually, runId, startContainer } from './testbed.ts';

/** The program. */
export const main = join(import.meta.dirname, '../../src/main.ts');
let made = 0;

/** A database and an app that depends on it, as Compose would have made them. */
export interface SmallStack extends AsyncDisposable {
  readonly project: string;
  readonly db: string;
  readonly app: string;
  psql(sql: string): Promise<string>;
  /** Whether the app runs, is stopped, … */
  appState(): Promise<string>;
  /** Holds a lock that every dump waits for, as long as it is not disposed of. */
  dumpsHang(): Promise<AsyncDisposable>;
  /** Resolves once a dump waits. */
  isDumping(): Promise<void>;
}

/** A table of 40,000 rows that cannot be compressed, so that a backup has a size. */
export const noise =
  'CREATE TABLE noise AS SELECT i, gen_random_uuid() a, gen_random_uuid() b FROM generate_series(1, 40000) i';

export async function startSmallStack(image = 'postgres:17'): Promise<SmallStack> {
  made += 1;
  const project = `lbd${runId}${process.pid}${made}`;
  const labels = (service: string, more: Readonly<Record<string, string>> = {}) =>
    Object.entries({ project, service, 'container-number': '1', ...more }).flatMap(([name, value]) => [
      '--label',
      `com.docker.compose.${name}=${value}`,
    ]);
  const held = new AsyncDisposableStack();
  const db = held.use(
    await startContainer(image, {
      env: { POSTGRES_PASSWORD: 'secret', POSTGRES_DB: 'shop' },
      run: labels('db'),
    }),
  );
  const app = held.use(
    await startContainer('debian:trixie-slim', {
      args: ['sleep', 'infinity'],
      run: ['--init', ...labels('app', { depends_on: 'db:service_started:false' })],
    }),
  );
  const psql = (sql: string) => query(db.name, sql);
  await postgresReady(db.name);
  await psql('CREATE TABLE orders AS SELECT i AS id, md5(i::text) AS note FROM generate_series(1, 1000) i');
  return {
    project,
    db: db.name,
    app: app.name,
    psql,
    appState: () => docker('inspect', '-f', '{{.State.Status}}', app.name),
    dumpsHang: async () => {
      const session = docker(
        ...['exec', db.name, 'psql', '-XqAt', '-U', 'postgres', 'shop', '-c'],
        "BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SET application_name = 'holder'; SELECT pg_sleep(300)",
      ).catch((error: unknown) => error); // It ends by being terminated.
      const holders = "FROM pg_stat_activity WHERE application_name = 'holder'";
      await eventually(async () => {
        if ((await psql(`SELECT count(*) ${holders}`)) !== '1') throw new Error('nobody holds the lock');
      });
      return {
        [Symbol.asyncDispose]: async () => {
          await psql(`SELECT pg_terminate_backend(pid) ${holders}`);
          await session;
        },
      };
    },
    isDumping: () =>
      eventually(async () => {
        const waiting = "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'";
        if ((await psql(waiting)) === '0') throw new Error('no dump waits');
      }),
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** A folder with everything that a daemon needs, and the commands to talk to it. */
export interface Home extends AsyncDisposable {
  readonly folder: string;
  readonly socket: string;
  /** What its commands run with. */
  readonly environment: Readonly<Record<string, string>>;
  /** A command in a process of its own; `begun` gets it as soon as it runs. */
  lifeboat(args: readonly string[], begun?: (child: { kill(signal: NodeJS.Signals): void }) => void): Promise<Ended>;
  /** Starts the daemon; resolves when it answers. */
  start(settings?: Readonly<Record<string, string>>, ...options: string[]): Promise<Daemon>;
}

export interface Daemon {
  /** What it has logged so far. */
  log(): string;
  kill(signal: NodeJS.Signals): void;
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
}

type Variables = Readonly<Record<string, string>>;

/** The settings may name places in the folder. */
export async function makeHome(
  project: string,
  settings: Variables | ((folder: string) => Variables) = {},
): Promise<Home> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-daemon-'));
  await mkdir(join(folder, 'backups'));
  const socket = join(folder, 'lifeboat-control', 'daemon.sock');
  const environment: Record<string, string> = {
    ...Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('LIFEBOAT_'))),
    LIFEBOAT_DISCOVERY: 'projects',
    LIFEBOAT_PROJECTS: project,
    LIFEBOAT_DEST_LOCAL_URL: `file://${folder}/backups`,
    LIFEBOAT_DATA_DIR: join(folder, 'data'),
    LIFEBOAT_CONTROL_SOCKET: socket,
    LIFEBOAT_JITTER: '0',
    LIFEBOAT_SCHEDULE: 'manual',
    LIFEBOAT_RESTORE_DELAY: '0s',
    ...(typeof settings === 'function' ? settings(folder) : settings),
  };
  const daemons: Daemon[] = [];
  const home: Home = {
    folder,
    socket,
    environment,
    lifeboat: (args, begun) =>
      new Promise((resolve, reject) => {
        const child = spawn(process.execPath, [main, ...args], { env: environment });
        const said = { stdout: '', stderr: '' };
        for (const name of ['stdout', 'stderr'] as const) {
          child[name].setEncoding('utf8').on('data', (chunk: string) => {
            said[name] += chunk;
          });
        }
        child.on('error', reject);
        child.on('close', (code) => resolve({ code: code ?? -1, ...said }));
        child.stdin.end();
        begun?.(child);
      }),
    start: async (more = {}, ...options) => {
      const env = { ...environment, ...more };
      const child = spawn(process.execPath, [...options, main, 'daemon'], { env, stdio: ['ignore', 'pipe', 'pipe'] });
      let text = '';
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (chunk: string) => {
          text += chunk;
        });
      }
      const ended = new Promise<Awaited<Daemon['ended']>>((resolve) => {
        child.on('close', (code, signal) => resolve({ code, signal }));
      });
      const daemon: Daemon = { log: () => text, kill: (signal) => void child.kill(signal), ended };
      daemons.push(daemon);
      const up = eventually(async () => {
        if (!text.includes('is up')) throw new Error(`the daemon does not come up:\n${text}`);
      });
      await Promise.race([up, ended]);
      return daemon;
    },
    [Symbol.asyncDispose]: async () => {
      for (const daemon of daemons) daemon.kill('SIGKILL');
      await Promise.all(daemons.map(({ ended }) => ended));
      await rm(folder, { recursive: true, force: true });
    },
  };
  return home;
}

/** Holds that a command ended well, or fails with what it said. */
export function good({ code, stdout, stderr }: Ended): void {
  assert.equal(code, 0, `${stdout}\n${stderr}`);
}

/** What `list --json` prints of a backup. */
export interface Listed {
  readonly id: string;
  readonly trigger: string;
  readonly destinations: readonly string[];
}

/** The backups that there are, the newest first. */
export async function listed(home: Home): Promise<readonly Listed[]> {
  return (JSON.parse((await home.lifeboat(['list', '--json'])).stdout) as { backups: Listed[] }).backups;
}

export async function statusOf(home: Home): Promise<Status> {
  return JSON.parse((await home.lifeboat(['status', '--json'])).stdout) as Status;
}
