import assert from 'node:assert/strict';
import { createShell } from '../../../src/docker/shell.ts';
import { type ErrorCode, LifeboatError } from '../../../src/domain/errors.ts';
import type { Shell } from '../../../src/domain/shell.ts';
import {
  type ContainerOptions,
  docker,
  dockerWithInput,
  eventually,
  forgetful,
  runId,
  startContainer,
  testApi,
} from '../../support/testbed.ts';
import { inApp } from './seed.ts';

/** Writes 50 rows a second to /data/app.db in WAL mode as uid 1000; each row carries the sum of all numbers so far. */
export const app = 'lifeboat-testbed/sqlite-app';
export const sleeper: ContainerOptions = { args: ['sleep', 'infinity'], run: ['--init', '--stop-timeout', '1'] };

/** A stand-in for Lifeboat's own image, made when it is missing; LIFEBOAT_TEST_IMAGE names the real one. */
export async function image(tag: string, ...packages: string[]): Promise<string> {
  const recipe = `FROM debian:trixie-slim\nRUN apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}\n`;
  if ((await docker('images', '-q', tag)) === '') await dockerWithInput(recipe, 'build', '-q', '-t', tag, '-');
  return tag;
}

process.env.LIFEBOAT_TEST_IMAGE ??= await image('lifeboat-testbed/own:sqlite', 'sqlite3');

/** The writer's own proof: numbers without a gap, and the last sum is the sum over them. Returns how many. */
export const story = (name: string, path = '/data/app.db') =>
  inApp(
    name,
    `const d = new DatabaseSync(process.argv[2]); const all = d.prepare('SELECT number, total FROM entry ORDER BY number').all();
  all.reduce((sum, { number, total }, i) => { if (number !== i + 1 || total !== sum + number) throw new Error('gap at ' + number); return total; }, 0);
  console.log(all.length)`,
    path,
  ).then(Number);

/** The same for bytes. */
export async function storyOf(bytes: Buffer): Promise<number> {
  await using reader = await startContainer(app, sleeper);
  await dockerWithInput(bytes, 'exec', '-i', reader.name, 'sh', '-c', 'cat >/data/copy.db');
  return await story(reader.name, '/data/copy.db');
}

export const running = (name: string) => docker('inspect', '-f', '{{.State.Status}} {{.State.StartedAt}}', name);
export const files = (name: string, folder = '/data') => docker('exec', name, 'ls', '-An', folder);

export const refusal = (code: ErrorCode, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LifeboatError, String(error));
  assert.equal(error.code, code, error.message);
  if (message) assert.match(error.message, message);
  return true;
};

export async function writer(options: ContainerOptions = {}) {
  const container = await startContainer(app, options);
  const path = options.env?.DATABASE ?? '/data/app.db';
  await eventually(async () => assert.ok((await story(container.name, path)) > 20));
  return container;
}

/** A shell where no helper may be made, as behind a strict socket proxy. */
export async function withoutHelpers(id: string): Promise<Shell> {
  const api = await testApi();
  const container = await api.container(id);
  assert.ok(container);
  return createShell(api, { id: runId, run: runId }, forgetful(api), container, 10_000);
}
