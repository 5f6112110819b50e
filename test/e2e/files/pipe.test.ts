import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Manifest } from '../../../src/domain/manifest.ts';
import { leftovers, watchEvents } from '../../support/events.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { docker, dockerWithInput } from '../../support/testbed.ts';

const services = `
  cache:
    image: redis:8
    command: ["redis-server", "--rdbcompression", "no", "--save", "3600 1"]
    volumes: ["cache:/data"]
  app:
    image: lifeboat-testbed/sqlite-app
    command: ["sleep", "infinity"]
    init: true
    healthcheck: { test: ["CMD", "true"], interval: 1s, retries: 60 }
    volumes: ["app:/data"]
volumes:
  cache:
  app:
`;
const big = 70_000_000;

describe('files that a helper reads where they lie', { concurrency: false }, () => {
  let stack: Stack;
  const newest = async (service: string) => {
    const { id } = JSON.parse((await stack.ok('list', service, '--json')).stdout).backups[0];
    return JSON.parse((await stack.ok('show', id, '--json')).stdout).manifest as Manifest;
  };
  const cache = (...args: string[]) => docker('exec', `${stack.project}-cache-1`, 'redis-cli', ...args);
  const app = (sql: string) =>
    dockerWithInput(
      `const { DatabaseSync } = require('node:sqlite'); console.log(JSON.stringify(new DatabaseSync('/data/app.db').prepare(${JSON.stringify(sql)}).all()))`,
      ...['exec', '-i', `${stack.project}-app-1`, 'node', '--no-warnings', '-'],
    );

  before(async () => {
    stack = await startStack(services);
    await cache('SETRANGE', 'big', String(big), 'x');
    await app(
      'CREATE TABLE t AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < 200) SELECT x, randomblob(400000) AS b FROM c',
    );
  });
  after(() => stack[Symbol.asyncDispose]());

  it('come through named pipes, are proved and restored, and nothing is left on the Engine', async () => {
    const good = await app('SELECT count(*) AS n, sum(x) AS s, sum(length(b)) AS l FROM t');
    await using events = watchEvents();
    await stack.ok('backup');
    assert.deepEqual(await leftovers(stack.project, events), []);
    assert.equal(await docker('exec', `${stack.project}-sidecar-1`, 'ls', '/run/lifeboat'), '');
    for (const service of ['cache', 'app']) {
      const { path, seals, artifacts } = await newest(service);
      assert.deepEqual(path, { taken: 'file', why: 'a helper reads the file where it lies' });
      assert.match(seals.find(({ seal }) => seal === 'stream')?.proof ?? '', /^the pipe was closed only after/);
      assert.ok((artifacts[0]?.plainBytes ?? 0) > big);
    }
    await cache('FLUSHALL');
    await app('DELETE FROM t WHERE x % 2 = 0');
    await stack.ok('restore', 'cache', '--yes');
    await stack.ok('restore', 'app', '--yes');
    assert.equal(await cache('STRLEN', 'big'), String(big + 1));
    assert.equal(await app('SELECT count(*) AS n, sum(x) AS s, sum(length(b)) AS l FROM t'), good);
  });
});
