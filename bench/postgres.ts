import type { Bench } from './support/bench.ts';
import { pgDump, startPostgres } from './support/postgres.ts';
import { race } from './support/rounds.ts';

const yardstick = 'pg_dump | zstd -3';

/** Each backup is the whole of it: three artifacts, proved, digests, fsync, manifest, by a command that starts anew. */
export default {
  title: 'backup of a PostgreSQL database against `docker exec db pg_dump | zstd -3 -T0 > file`',
  run: async (given) => {
    await using stack = await startPostgres(given);
    const backup = (name: string, path: string, level: number) => ({
      name,
      run: () =>
        stack.lifeboat(
          { LIFEBOAT_PATH: path, LIFEBOAT_CODEC: 'zstd', LIFEBOAT_CODEC_LEVEL: String(level) },
          'backup',
          'db',
        ),
      after: async () => {
        const { path: way } = await stack.newest();
        if (way.taken !== path) throw new Error(`asked for the ${path} path, took ${way.taken}`);
        await stack.forget();
      },
    });
    return await race(
      given,
      [
        { name: yardstick, run: () => stack.shell(`${pgDump} | zstd -q -3 -T0 > f`) },
        backup('exec, zstd -3', 'exec', 3),
        backup('pipe, zstd -3', 'pipe', 3),
        backup('pipe, zstd -1', 'pipe', 1),
      ],
      [
        { id: 'P1', of: 'exec, zstd -3', against: yardstick, atMost: 1 },
        { id: 'P2', of: 'pipe, zstd -3', against: yardstick, atMost: 0.72 },
        { id: 'P2', of: 'pipe, zstd -1', against: yardstick, atMost: 0.6 },
        { id: 'P4', of: 'pipe, zstd -3', figure: 'MB of memory', atMost: 130 },
        { id: 'P4', of: 'exec, zstd -3', figure: 'MB of memory', atMost: 130 },
      ],
    );
  },
} satisfies Bench;
