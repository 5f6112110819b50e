import assert from 'node:assert/strict';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { stallableEngine } from '../fakes/stallable-engine.ts';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { eventually, everyVersion } from '../support/testbed.ts';

describe('an Engine that falls silent', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());
  const dumps = () => stack.psql("SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE '%dump%'");
  const drafts = async (home: Home) =>
    (await readdir(join(home.folder, 'backups'), { recursive: true })).filter((name) => /partial|manifest/.test(name));

  // It takes the patience that every call to the Engine has.
  const skip = !everyVersion && 'npm run test:all';
  it('faults 16 and 47: a dump ends as a failure, and nothing is left of it once the Engine is back', {
    skip,
  }, async () => {
    await using engine = await stallableEngine();
    await using home = await makeHome(stack.project, { DOCKER_HOST: engine.host });
    await home.start();
    {
      await using _lock = await stack.dumpsHang();
      const backup = home.lifeboat(['backup', 'db']);
      await stack.isDumping();
      engine.stall();
      const ended = await backup;
      assert.equal(ended.code, 1, ended.stderr);
      assert.match(ended.stderr, /the Engine did not answer|the Docker Engine does not answer/);
      assert.deepEqual(await drafts(home), []);
      engine.goOn();
    }
    await eventually(async () => assert.equal(await dumps(), '0'));
    await eventually(async () => assert.equal((await home.lifeboat(['healthcheck'])).code, 0));
    const next = await home.lifeboat(['backup', 'db']);
    assert.equal(next.code, 0, next.stderr);
  });
});
