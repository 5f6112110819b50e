import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { inApp } from '../engines/sqlite/seed.ts';
import { makeHome } from '../support/daemon.ts';
import type { Ended } from '../support/stack.ts';
import { docker, eventually, runId, startContainer } from '../support/testbed.ts';

const image = 'lifeboat-testbed/sqlite-app';
const project = `lbshared${runId}`;
const volume = `lifeboat-${runId}-shared-mount`;

/** Holds one connection open, not in WAL mode, and writes through it again and again. */
const writer = `
const { DatabaseSync } = require('node:sqlite');
const database = new DatabaseSync('/srv/app.db');
database.exec('PRAGMA busy_timeout = 200');
setInterval(() => { try { database.exec("INSERT INTO t VALUES ('worker')"); } catch {} }, 200);
process.on('SIGTERM', () => process.exit());`;

/** As Compose would have made it; without a service it is nobody's. */
function start(service: string | undefined, mount: string, args: readonly string[]) {
  const compose = { project, service: service ?? '', 'container-number': '1', oneoff: 'False' };
  const labels = Object.entries(compose).flatMap(([name, value]) => ['--label', `com.docker.compose.${name}=${value}`]);
  return startContainer(image, {
    args,
    run: ['--init', '--no-healthcheck', '-v', `${volume}:${mount}`, ...(service ? labels : [])],
  });
}

describe('fault 79: a restore of files that another container has in a mount of its own', {
  concurrency: false,
}, () => {
  const held = new AsyncDisposableStack();
  let app: string;
  let worker: string;
  let reader: string;
  before(async () => {
    held.defer(async () => void (await docker('volume', 'rm', volume)));
    app = held.use(await start('app', '/data', ['sleep', 'infinity'])).name;
    await inApp(app, "new DatabaseSync('/data/app.db').exec('CREATE TABLE t (who TEXT)')");
    worker = held.use(await start('worker', '/srv', ['node', '-e', writer])).name;
    reader = held.use(await start('reader', '/srv:ro', ['sleep', 'infinity'])).name;
  });
  after(() => held.disposeAsync());

  const good = (ended: Ended) => assert.equal(ended.code, 0, `${ended.stdout}\n${ended.stderr}`);
  const rows = async () =>
    Number(
      await inApp(app, "console.log(new DatabaseSync('/data/app.db').prepare('SELECT count(*) c FROM t').get().c)"),
    );
  const startOf = (name: string) => docker('inspect', '-f', '{{.State.StartedAt}} {{.State.Running}}', name);
  const home = () => {
    const { LIFEBOAT_TEST_IMAGE: own } = process.env;
    return makeHome(project, own ? { LIFEBOAT_HELPER_IMAGE: own } : {});
  };

  it('stops and starts those of its stack, so that what they write afterwards is kept', async () => {
    await using lifeboat = await home();
    good(await lifeboat.lifeboat(['backup', 'app']));
    const dry = await lifeboat.lifeboat(['restore', 'app', '--dry-run']);
    good(dry);
    assert.match(dry.stderr, /^ +stop (?:worker, reader|reader, worker)$/m);
    const before = await startOf(reader);
    good(await lifeboat.lifeboat(['restore', 'app', '--yes']));
    assert.match(await startOf(reader), /true$/);
    assert.notEqual(await startOf(reader), before);
    const restored = await rows();
    await eventually(async () => assert.ok((await rows()) > restored, 'what the worker writes goes nowhere'));
  });

  it('stops nobody for a restore beside the live data', async () => {
    await using lifeboat = await home();
    good(await lifeboat.lifeboat(['backup', 'app']));
    const before = [await startOf(worker), await startOf(reader), await startOf(app)];
    good(await lifeboat.lifeboat(['restore', 'app', '--as', 'old.db', '--yes']));
    assert.deepEqual([await startOf(worker), await startOf(reader), await startOf(app)], before);
  });

  it('is refused with the name of one that is of no stack of ours, until somebody stopped that', async () => {
    await using lifeboat = await home();
    good(await lifeboat.lifeboat(['backup', 'app']));
    await using foreign = await start(undefined, '/elsewhere', ['sleep', 'infinity']);
    const before = [await startOf(worker), await startOf(app)];
    const refused = await lifeboat.lifeboat(['restore', 'app', '--yes']);
    assert.notEqual(refused.code, 0);
    assert.ok(refused.stderr.includes(`docker stop ${foreign.name}`), refused.stderr);
    assert.deepEqual([await startOf(worker), await startOf(app)], before);
    await docker('stop', '-t', '1', foreign.name);
    good(await lifeboat.lifeboat(['restore', 'app', '--yes']));
  });
});
