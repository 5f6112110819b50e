import type { Bench } from './support/bench.ts';
import { pgDump, startPostgres } from './support/postgres.ts';
import { race } from './support/rounds.ts';

const yardstick = 'zstd -dc | psql';

/** Ours proves the whole backup before it loads it, and compares every table with the manifest after. */
export default {
  title: 'restore of a PostgreSQL database into a side database against `zstd -dc | docker exec -i db psql`',
  run: async (given) => {
    await using stack = await startPostgres(given);
    await stack.shell(`${pgDump} | zstd -q -3 -T0 > f`);
    await stack.lifeboat({}, 'backup', 'db');
    const psql = (sql: string) => stack.shell(`docker exec $DB psql -Xq -U postgres -c ${sql}`);
    const drop = async () => {
      await psql("'DROP DATABASE side WITH (FORCE)'");
      await psql('CHECKPOINT');
    };
    return await race(
      given,
      [
        {
          name: yardstick,
          before: () => psql("'CREATE DATABASE side'"),
          run: () =>
            stack.shell('zstd -dcq f | docker exec -i $DB psql -Xq -v ON_ERROR_STOP=1 -U postgres side > /dev/null'),
          after: drop,
        },
        {
          name: 'lifeboat restore',
          run: () => stack.lifeboat({}, 'restore', 'db', '--database', 'bench', '--as', 'side', '--yes'),
          after: drop,
        },
      ],
      [{ id: 'P6', of: 'lifeboat restore', against: yardstick, atMost: 0.7 }],
    );
  },
} satisfies Bench;
