import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { after, before, describe, it } from 'node:test';
import { psql } from '../support/postgres.ts';
import { database, type Stack, startStack } from '../support/stack.ts';
import { dockerWithInput, eventually } from '../support/testbed.ts';

/** How one product is asked, and how somebody writes to it without pause. */
interface Product {
  readonly service: string;
  /** The line inside the container that runs the SQL in `$1`. */
  readonly client: string;
  query(name: string, sql: string): Promise<string>;
  /** Databases that hold what was there before a restore. */
  readonly kept: string;
  /** A session that stays in a transaction for ten minutes. */
  readonly sitting: string;
  qualified(database: string): string;
}

const mysqlClient = 'MYSQL_PWD=x exec mysql -uroot --batch --skip-column-names shop -e "$1"';
const products: readonly Product[] = [
  {
    service: 'db',
    client: 'exec psql -XqAt -U postgres shop -c "$1"',
    query: (name, sql) => psql(name, sql),
    kept: `SELECT datname FROM pg_database WHERE datname LIKE 'shop%prev%'`,
    sitting: 'BEGIN; INSERT INTO writes VALUES (-1); SELECT pg_sleep(600)',
    qualified: () => 'writes',
  },
  {
    service: 'sql',
    client: mysqlClient,
    query: (name, sql) => dockerWithInput('', 'exec', '-i', name, 'sh', '-c', mysqlClient, 'sh', sql),
    kept: `SHOW DATABASES LIKE 'shop%prev%'`,
    sitting: 'BEGIN; INSERT INTO writes VALUES (-1); DO SLEEP(600)',
    qualified: (database) => `\`${database}\`.writes`,
  },
];

const services = `
${database}  sql:
    image: mysql:9
    environment: { MYSQL_ROOT_PASSWORD: x, MYSQL_DATABASE: shop }
    healthcheck: { test: ["CMD-SHELL", "mysqladmin -h127.0.0.1 --silent ping"], interval: 1s, retries: 60 }
`;

/** Writes one number after the other, each in a connection of its own; the numbers are those the server confirmed. */
function startWriter(name: string, { client }: Product): Disposable & { readonly confirmed: readonly number[] } {
  const insert = `put() { ${client.replace('exec ', '')}; }; i=0`;
  const script = `${insert}; while :; do i=$((i + 1)); put "INSERT INTO writes VALUES ($i)" >/dev/null 2>&1 && echo $i; done`;
  const child = spawn('docker', ['exec', name, 'sh', '-c', script], { stdio: ['ignore', 'pipe', 'ignore'] });
  const confirmed: number[] = [];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    confirmed.push(...text.split('\n').filter(Boolean).map(Number));
  });
  return { confirmed, [Symbol.dispose]: () => void child.kill() };
}

describe('an app that Lifeboat does not know of writes while its database is restored', { concurrency: false }, () => {
  let stack: Stack;
  before(async () => {
    stack = await startStack(services);
  });
  after(() => stack?.[Symbol.asyncDispose]());

  for (const product of products) {
    it(`fault 79: it is cut off from the old ${product.service}, and no confirmed write is lost`, async () => {
      const name = `${stack.project}-${product.service}-1`;
      const ask = (sql: string) => product.query(name, sql);
      await ask('CREATE TABLE orders (id int PRIMARY KEY, note varchar(40)); CREATE TABLE writes (n int)');
      await ask(
        `INSERT INTO orders VALUES ${Array.from({ length: 2_000 }, (_, i) => `(${i}, 'note ${i}')`).join(', ')}`,
      );
      await stack.ok('backup', product.service);
      await ask('DELETE FROM orders WHERE id >= 100');

      const sitting = ask(product.sitting).then(
        () => 'sits',
        () => 'was ended',
      );
      using writer = startWriter(name, product);
      await eventually(async () => assert.ok(writer.confirmed.length > 5));
      await stack.ok('restore', product.service, '--yes');
      assert.equal(await sitting, 'was ended');
      const after = writer.confirmed.length;
      await eventually(async () =>
        assert.ok(writer.confirmed.length > after + 5, 'the app goes on with what is restored'),
      );
      writer[Symbol.dispose]();

      assert.equal(await ask('SELECT count(*) FROM orders'), '2000');
      const [kept = ''] = (await ask(product.kept)).split('\n');
      assert.notEqual(kept, '');
      const numbers = (text: string) => text.split('\n').filter(Boolean).map(Number);
      const now = numbers(await ask('SELECT n FROM writes ORDER BY n'));
      // The kept database of PostgreSQL lets nobody in: whoever wants it opens it.
      if (product.service === 'db') await ask(`ALTER DATABASE "${kept}" WITH ALLOW_CONNECTIONS true`);
      const from = `SELECT n FROM ${product.qualified(kept)} ORDER BY n`;
      const before = numbers(product.service === 'db' ? await psql(name, from, kept) : await ask(from));
      const found = new Set([...before, ...now]);
      assert.deepEqual(
        writer.confirmed.filter((number) => !found.has(number)),
        [],
      );
      assert.deepEqual(
        now.filter((number) => number <= Math.max(...before)),
        [],
        'nothing of the time before is in what was restored',
      );
    });
  }
});
