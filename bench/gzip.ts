import { backupOf } from './support/backups.ts';
import type { Bench } from './support/bench.ts';
import { pgDump, startPostgres } from './support/postgres.ts';
import { race } from './support/rounds.ts';

/** What most tools do, and the same with both cores. */
export default {
  title: 'backup of a PostgreSQL database against `docker exec db pg_dump | gzip > file` and `| pigz > file`',
  run: async (given) => {
    await using stack = await startPostgres(given);
    return await race(
      given,
      [
        { name: 'pg_dump | gzip', run: () => stack.shell(`${pgDump} | gzip > f`) },
        { name: 'pg_dump | pigz', run: () => stack.shell(`${pgDump} | pigz > f`) },
        backupOf(stack, 'pipe, zstd -3', {}),
        backupOf(stack, 'pipe, gzip', { LIFEBOAT_CODEC: 'gzip' }),
      ],
      [
        { id: 'P3', of: 'pipe, zstd -3', against: 'pg_dump | gzip', atMost: 0.25 },
        { id: 'P5', of: 'pipe, gzip', against: 'pg_dump | pigz', atMost: 0.4 },
      ],
    );
  },
} satisfies Bench;
