import { setTimeout as sleep } from 'node:timers/promises';
import { docker } from '../test/support/testbed.ts';
import type { Bench } from './support/bench.ts';
import { type Figures, race } from './support/rounds.ts';
import { sqliteServices } from './support/sqlite.ts';
import { startBenchStack } from './support/stack.ts';

const yardstick = 'node -e 0';
const rss = 'MB of memory, idle';
const backups = 20;
const idleAfterMs = 20_000;

/** Times a command from within its container, so that what `docker exec` takes is in no figure: the median of nine. */
const timer = `const all = Array.from({ length: 9 }, () => {
  const before = performance.now();
  const { status } = require('node:child_process').spawnSync(process.argv[1], process.argv.slice(2));
  if (status !== 0) throw new Error('exit code ' + status);
  return performance.now() - before;
});
console.log(all.sort((a, b) => a - b)[4] / 1_000);`;

/** The smallest thing that people do, and the daemon when nobody does anything. Measured in the image. */
export default {
  title: `\`lifeboat list\` of ${backups} backups against \`node -e 0\`, and the memory of an idle daemon`,
  run: async (given) => {
    await using stack = await startBenchStack(sqliteServices, {}, 'daemon');
    const sidecar = `${stack.project}-sidecar-1`;
    const file = `const { DatabaseSync } = require('node:sqlite'); new DatabaseSync(process.argv[1]).exec('CREATE TABLE t AS SELECT 1 AS x')`;
    const volume = `${stack.project}_db-data:/data`;
    await docker(
      'run',
      '--rm',
      '-v',
      volume,
      '--entrypoint',
      'node',
      process.env.LIFEBOAT_TEST_IMAGE ?? 'lifeboat:test',
      '-e',
      file,
      '/data/app.db',
    );
    given.say(`making ${backups} backups`);
    for (let made = 0; made < backups; made += 1) await docker('exec', sidecar, 'lifeboat', 'backup', 'db');
    await docker('restart', sidecar);
    await sleep(idleAfterMs);
    const sizes = await docker('exec', sidecar, 'sh', '-c', 'grep -h VmRSS /proc/[0-9]*/status');
    const kib = Math.max(...Array.from(sizes.matchAll(/(\d+) kB/g), ([, size]) => Number(size)));
    const idle: Figures = { [rss]: (kib * 1_024) / 1e6 };
    const timed = (name: string, argv: readonly string[], variables: readonly string[] = []) => ({
      name,
      run: async () => ({
        seconds: Number(await docker('exec', ...variables, sidecar, 'node', '-e', timer, ...argv)),
      }),
    });
    const alone = ['-e', 'LIFEBOAT_CONTROL_SOCKET=/nonexistent'];
    return await race(
      given,
      [
        timed(yardstick, ['node', '-e', '0']),
        timed('list, of the daemon', ['lifeboat', 'list']),
        timed('list, without a daemon', ['lifeboat', 'list'], alone),
        { name: 'daemon', run: async () => idle },
      ],
      [
        { id: 'P12', of: 'list, of the daemon', against: yardstick, atMost: 4 },
        { id: 'P12', of: 'list, without a daemon', against: yardstick, atMost: 4 },
        { id: 'P12', of: 'daemon', figure: rss, atMost: 80 },
      ],
    );
  },
} satisfies Bench;
