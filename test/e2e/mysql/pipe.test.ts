import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { Manifest } from '../../../src/domain/manifest.ts';
import { leftovers, watchEvents } from '../../support/events.ts';
import { type Stack, startStack } from '../../support/stack.ts';
import { dockerWithInput, nastyPassword } from '../../support/testbed.ts';

const password = JSON.stringify(nastyPassword.replaceAll('$', '$$$$'));
const services = `
  mysql:
    image: mysql:9
    environment: { MYSQL_ROOT_PASSWORD: ${password}, MYSQL_DATABASE: shop }
    healthcheck: { test: ["CMD-SHELL", "mysqladmin -h127.0.0.1 --silent ping"], interval: 1s, retries: 60 }
  mariadb:
    image: mariadb:11.8
    environment: { MARIADB_ROOT_PASSWORD: ${password}, MARIADB_DATABASE: shop }
    healthcheck: { test: ["CMD-SHELL", "mariadb-admin -h127.0.0.1 --silent ping"], interval: 1s, retries: 60 }
`;

describe('MySQL and MariaDB through named pipes', { concurrency: false }, () => {
  let stack: Stack;
  const sql = (service: string, text: string) => {
    const name = `${stack.project}-${service}-1`;
    const args = ['-uroot', '--batch', '--skip-column-names', 'shop'];
    return dockerWithInput(text, 'exec', '-i', '-e', `MYSQL_PWD=${nastyPassword}`, name, service, ...args);
  };
  const digest = (service: string) => sql(service, 'SELECT COUNT(*), SUM(CRC32(CONCAT(id, note))) FROM orders');
  const newest = async (service: string) => {
    const { id } = JSON.parse((await stack.ok('list', service, '--json')).stdout).backups[0];
    return JSON.parse((await stack.ok('show', id, '--json')).stdout).manifest as Manifest;
  };
  const each = ['mysql', 'mariadb'] as const;

  before(async () => {
    stack = await startStack(services, { LIFEBOAT_PATH: 'pipe' });
    const rows = `CREATE TABLE orders (id int PRIMARY KEY AUTO_INCREMENT, note varchar(60));
      INSERT INTO orders (note) VALUES (UUID()); ${'INSERT INTO orders (note) SELECT CONCAT(UUID(), RAND()) FROM orders;'.repeat(16)}
      CREATE PROCEDURE p() SELECT 1; CREATE VIEW v AS SELECT * FROM orders;`;
    for (const service of each) await sql(service, rows);
  });
  after(() => stack[Symbol.asyncDispose]());

  it('gives back every row and leaves nothing on the Engine', async () => {
    const good = await Promise.all(each.map(digest));
    await using events = watchEvents();
    await stack.ok('backup');
    assert.deepEqual(await leftovers(stack.project, events), []);
    for (const service of each) {
      const manifest = await newest(service);
      assert.equal(manifest.path.taken, 'pipe', manifest.path.why);
      const proofs = new Map(manifest.seals.map(({ seal, proof }) => [seal, proof]));
      assert.match(proofs.get('stream') ?? '', /^users: made of answers of the server; shop: the pipe was closed only/);
      assert.match(proofs.get('exit') ?? '', /shop: exit code 0 of the helper/);
      await sql(service, 'DELETE FROM orders WHERE id % 2 = 0');
      await stack.ok('restore', service, '--yes');
    }
    assert.deepEqual(await Promise.all(each.map(digest)), good);
  });

  it('falls back to exec and says why when a helper may not do the same, or may not log in', async () => {
    const reasons = [
      ["ALTER USER root@'%' ACCOUNT LOCK", /a helper cannot log in: .*locked/],
      [
        "ALTER USER root@'%' ACCOUNT UNLOCK; REVOKE EVENT ON *.* FROM root@'%'",
        /as root@%, which has other rights than root@localhost/,
      ],
      ["DROP USER root@'%'", /a helper cannot log in: .*(denied|not allowed)/],
    ] as const;
    for (const [change, why] of reasons) {
      for (const service of each) await sql(service, change);
      await stack.ok('backup');
      for (const service of each) {
        const { path } = await newest(service);
        assert.equal(path.taken, 'exec');
        assert.match(path.why, why);
      }
    }
  });
});
