import { backupOf } from './support/backups.ts';
import type { Bench } from './support/bench.ts';
import { startPostgres } from './support/postgres.ts';
import { race } from './support/rounds.ts';
import { openBucket } from './support/s3.ts';
import { slowLink } from './support/slow-link.ts';

const figure = 'MB of memory';

/** Peak memory of the process that backs up, compressor and helpers not included: they are processes of their own. */
export default {
  title: 'memory of a backup of a PostgreSQL database, to a folder, to S3, and to S3 at 20 MB/s',
  run: async (given) => {
    await using bucket = await openBucket();
    const there = new URL(bucket.containerEndpoint);
    await using slow = await slowLink(there, 20e6);
    const to = (endpoint: string, more: Readonly<Record<string, string>> = {}) => ({
      LIFEBOAT_TO: 'offsite',
      LIFEBOAT_DEST_OFFSITE_URL: `s3://${bucket.name}/b?region=${bucket.region}&endpoint=${encodeURIComponent(endpoint)}&path-style=true`,
      LIFEBOAT_DEST_OFFSITE_ACCESS_KEY_ID: bucket.keys.accessKeyId,
      LIFEBOAT_DEST_OFFSITE_SECRET_ACCESS_KEY: bucket.keys.secretAccessKey,
      ...more,
    });
    const fast = to(bucket.containerEndpoint);
    const throttled = `http://${there.hostname}:${slow.port}`;
    await using stack = await startPostgres(given, fast);
    const remote = (name: string, settings: Readonly<Record<string, string>>) => ({
      name,
      run: () => stack.lifeboat(settings, 'backup', 'db'),
      after: bucket.empty,
    });
    return await race(
      given,
      [
        backupOf(stack, 'folder, pipe', { LIFEBOAT_TO: 'local' }),
        backupOf(stack, 'folder, exec', { LIFEBOAT_TO: 'local', LIFEBOAT_PATH: 'exec' }, 'exec'),
        remote('S3, pipe', fast),
        remote('S3 at 20 MB/s, pipe', to(throttled)),
        remote('S3 at 20 MB/s, exec', to(throttled, { LIFEBOAT_PATH: 'exec' })),
      ],
      [
        ...['folder, pipe', 'folder, exec'].map((of) => ({ id: 'P4', of, figure, atMost: 130 })),
        ...['S3, pipe', 'S3 at 20 MB/s, pipe', 'S3 at 20 MB/s, exec'].map((of) => ({
          id: 'P4',
          of,
          figure,
          atMost: 260,
        })),
      ],
    );
  },
} satisfies Bench;
