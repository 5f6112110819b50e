import { backupOf } from './support/backups.ts';
import type { Bench } from './support/bench.ts';
import { pgDump, startPostgres } from './support/postgres.ts';
import { race } from './support/rounds.ts';

const yardstick = 'pg_dump | zstd -3';

/** Each backup is the whole of it: every artifact proved, digests, fsync, manifest, by a command that starts anew. */
export default {
  title: 'backup of a PostgreSQL database against `docker exec db pg_dump | zstd -3 -T0 > file`',
  run: async (given) => {
    await using stack = await startPostgres(given);
    return await race(
      given,
      [
        { name: yardstick, run: () => stack.shell(`${pgDump} | zstd -q -3 -T0 > f`) },
        backupOf(stack, 'exec, zstd -3', { LIFEBOAT_PATH: 'exec' }, 'exec'),
        backupOf(stack, 'pipe, zstd -3', {}),
        backupOf(stack, 'pipe, zstd -1', { LIFEBOAT_CODEC_LEVEL: '1' }),
      ],
      [
        { id: 'P1', of: 'exec, zstd -3', against: yardstick, atMost: 1 },
        { id: 'P2', of: 'pipe, zstd -3', against: yardstick, atMost: 0.72 },
        { id: 'P2', of: 'pipe, zstd -1', against: yardstick, atMost: 0.6 },
      ],
    );
  },
} satisfies Bench;
