import { dockerWithInput } from '../../test/support/testbed.ts';
import { backupOf } from './backups.ts';
import type { Bench } from './bench.ts';
import { race } from './rounds.ts';
import { startBenchStack } from './stack.ts';

export interface Server {
  readonly image: string;
  readonly dump: string;
  readonly client: string;
  readonly admin: string;
}

const yardstick = 'dump | zstd -3';

/** The same comparison for both products, each with its own tools. */
export function mysqlBench({ image, dump, client, admin }: Server): Bench {
  const services = `
  db:
    image: ${image}
    environment: { MYSQL_ROOT_PASSWORD: secret, MARIADB_ROOT_PASSWORD: secret, MYSQL_DATABASE: bench, MARIADB_DATABASE: bench }
    command: [--innodb-flush-log-at-trx-commit=2, --skip-log-bin, --innodb-buffer-pool-size=1G]
    volumes: [db-data:/var/lib/mysql]
    healthcheck: { test: ["CMD", "${admin}", "-h127.0.0.1", "--silent", "ping"], interval: 1s, retries: 120 }
volumes:
  db-data:
`;
  return {
    title: `backup of a database of ${image} against \`docker exec db ${dump} | zstd -3 -T0 > file\``,
    run: async (given) => {
      await using stack = await startBenchStack(services);
      given.say('filling the database');
      const db = `${stack.project}-db-1`;
      await dockerWithInput(
        seed(given.isSmall ? 1 : 8),
        'exec',
        '-i',
        '-e',
        'MYSQL_PWD=secret',
        db,
        client,
        '-uroot',
        'bench',
      );
      const plain = `docker exec -e MYSQL_PWD=secret $DB ${dump} -uroot --single-transaction --quick bench`;
      await stack.shell(`${plain} > /dev/null`); // Into the cache of the disk.
      return await race(
        given,
        [
          { name: yardstick, run: () => stack.shell(`${plain} | zstd -q -3 -T0 > f`) },
          backupOf(stack, 'pipe, zstd -3', {}),
        ],
        [{ id: 'P2', of: 'pipe, zstd -3', against: yardstick, atMost: 0.7 }],
      );
    },
  };
}

/** So many times 700,000 rows, 0.13 GB as a dump each. */
function seed(times: number): string {
  const digits = 'abcdef'.split('').map((name) => `d ${name}`);
  const number = 'a.n + 10 * b.n + 100 * c.n + 1000 * d.n + 10000 * e.n + 100000 * f.n';
  const inserts = Array.from({ length: times }, (_, i) => {
    const id = `(${i * 1_000_000} + ${number})`;
    const note = `CONCAT('order of customer ', ${id} % 997, ', delivered to the door, paid by card, thank you for shopping with us, see you soon')`;
    const where = 'f.n < 7';
    return `INSERT INTO orders SELECT ${id}, CRC32(${id}) % 50000, ELT(1 + ${id} % 4, 'new', 'paid', 'packed', 'shipped'),
      '2025-01-01' + INTERVAL 7 * ${id} SECOND, CRC32(${id}) % 100000 / 100, LEFT(MD5(${id}), 22), ${note} FROM ${digits.join(', ')} WHERE ${where};`;
  });
  return `SET SESSION transaction_isolation = 'READ-COMMITTED';
CREATE TABLE d (n INT PRIMARY KEY); INSERT INTO d VALUES (0),(1),(2),(3),(4),(5),(6),(7),(8),(9);
CREATE TABLE orders (id BIGINT PRIMARY KEY, customer INT, status VARCHAR(10), placed DATETIME, amount DECIMAL(12,2), token VARCHAR(32), note TEXT) ENGINE=InnoDB;
${inserts.join('\n')}
ANALYZE TABLE orders;
`;
}
