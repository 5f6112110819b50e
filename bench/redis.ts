import { docker, eventually } from '../test/support/testbed.ts';
import { backupOf } from './support/backups.ts';
import type { Bench } from './support/bench.ts';
import { race } from './support/rounds.ts';
import { startBenchStack } from './support/stack.ts';

const services = `
  db:
    image: redis:8
    volumes: [db-data:/data]
    healthcheck: { test: ["CMD", "redis-cli", "ping"], interval: 1s, retries: 60 }
volumes:
  db-data:
`;
const yardstick = 'BGSAVE, zstd -3 < dump.rdb';
/** Hashes, so that the server's own compression leaves most of it. */
const value = Array.from({ length: 6 }, (_, n) => `redis.sha1hex(${n} * 1e7 + i)`).join('..');

/** The volume's folder on this host is read as root, as the shell line of somebody who knows Docker would. */
export default {
  title: 'backup of a Redis against its own save and `zstd -3 -T0 < dump.rdb > file`',
  run: async (given) => {
    await using stack = await startBenchStack(services);
    given.say('filling the server');
    const db = `${stack.project}-db-1`;
    const redis = (...args: string[]) => docker('exec', db, 'redis-cli', ...args);
    for (let batch = 0; batch < (given.isSmall ? 6 : 20); batch += 1) {
      await redis(
        'EVAL',
        `for i=${batch * 50_000},${batch * 50_000 + 49_999} do redis.call("set","order:"..i,${value}) end`,
        '0',
      );
    }
    const volume = await docker('volume', 'inspect', '-f', '{{.Mountpoint}}', `${stack.project}_db-data`);
    const save = async () => {
      const before = await redis('LASTSAVE');
      await eventually(() => redis('BGSAVE'));
      await stack.shell(`until [ "$(docker exec $DB redis-cli LASTSAVE)" != ${before} ]; do sleep 0.05; done`);
    };
    return await race(
      given,
      [
        {
          name: yardstick,
          before: () => new Promise((resolve) => setTimeout(resolve, 1_100)), // LASTSAVE counts in seconds.
          run: async () => {
            await save();
            await stack.shell(`zstd -q -3 -T0 < '${volume}/dump.rdb' > f`);
          },
        },
        backupOf(stack, 'lifeboat', {}, 'file'),
      ],
      [{ id: 'P13', of: 'lifeboat', against: yardstick, atMost: 1.1 }],
    );
  },
} satisfies Bench;
