import { docker, dockerWithInput } from '../../test/support/testbed.ts';
import type { Given } from './bench.ts';
import { type BenchStack, startBenchStack } from './stack.ts';

const services = `
  db:
    image: postgres:17
    environment: { POSTGRES_DB: bench, POSTGRES_PASSWORD: secret }
    volumes: [db-data:/var/lib/postgresql/data]
    shm_size: 256m
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres"], interval: 1s, retries: 60 }
volumes:
  db-data:
`;

/** What most tools do, and the yardstick of the targets. */
export const pgDump = 'docker exec $DB pg_dump -U postgres bench';

/**
 * A server with two tables of numbers, dates, names and hashes. As a plain dump 1 GB (with --small a tenth), of which
 * zstd -3 leaves a fifth.
 */
export async function startPostgres(
  { isSmall, say }: Pick<Given, 'isSmall' | 'say'>,
  sidecar: Readonly<Record<string, string>> = {},
): Promise<BenchStack> {
  const stack = await startBenchStack(services, sidecar);
  try {
    say('filling the database');
    const db = `${stack.project}-db-1`;
    await dockerWithInput(
      seed(isSmall ? 560_000 : 5_600_000),
      'exec',
      '-i',
      db,
      'psql',
      '-XqAt',
      '-v',
      'ON_ERROR_STOP=1',
      '-U',
      'postgres',
      'bench',
    );
    await docker('exec', db, 'sh', '-c', 'pg_dump -U postgres bench > /dev/null'); // Into the cache of the disk.
    return stack;
  } catch (error) {
    await stack[Symbol.asyncDispose]();
    throw error;
  }
}

function seed(rows: number): string {
  return `
SET synchronous_commit = off;
CREATE TABLE orders (id bigint, customer int, status text, placed timestamptz, amount numeric(12,2), token text, note text);
INSERT INTO orders SELECT i, hashint8(i) % 50000, (ARRAY['new','paid','packed','shipped','returned'])[1 + i % 5],
  timestamptz '2025-01-01' + i * interval '7 seconds', (hashint8(i) % 100000) / 100.0, left(md5(i::text), 22),
  'order of customer ' || i % 997 || ', delivered to the door, paid by ' || (ARRAY['card','invoice','voucher'])[1 + i % 3] || ', thank you for shopping with us, see you soon'
  FROM generate_series(1, ${rows}) i;
CREATE TABLE archived AS SELECT * FROM orders WHERE id % 2 = 0; DELETE FROM orders WHERE id % 2 = 0;
ALTER TABLE orders ADD PRIMARY KEY (id); CREATE INDEX ON orders (customer);
ALTER TABLE archived ADD PRIMARY KEY (id); CREATE INDEX ON archived (customer);
VACUUM FULL orders; VACUUM ANALYZE; CHECKPOINT;
`;
}
