import assert from 'node:assert/strict';
import { it } from 'node:test';
import { check, count, prelude, scriptEnv } from '../../../src/engines/sqlite/script.ts';
import { dockerWithInput } from '../../support/testbed.ts';
import './source.ts'; // Names an image with sqlite3 where the real one is not asked for.

/** Counting and checking open the copy at the same time, and a log is opened and closed by one process alone. */
const script = `cd /tmp; sqlite3 copy 'PRAGMA journal_mode=WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1)' >/dev/null
mkfifo held; { echo 'PRAGMA locking_mode=EXCLUSIVE; BEGIN IMMEDIATE; INSERT INTO t VALUES (2); COMMIT; SELECT 1;'; sleep 2; } | sqlite3 copy >held &
exec 3<held; read -r _ <&3; read -r _ <&3
${prelude}${check}${count}
check copy
count copy rows`;

const environment = Object.entries(scriptEnv).flatMap(([name, value]) => ['-e', `${name}=${value}`]);

it('a copy that another of our processes holds for a moment is waited for, not called damaged', async () => {
  const image = process.env.LIFEBOAT_TEST_IMAGE ?? '';
  const said = await dockerWithInput(script, 'run', '--rm', '-i', ...environment, '--entrypoint', 'sh', image);
  assert.match(said, /lifeboat:checked integrity_check found nothing wrong/);
  assert.match(said, /lifeboat:rows \["t",2\]/);
});
