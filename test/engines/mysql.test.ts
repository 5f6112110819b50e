import { mysql } from '../../src/engines/mysql/index.ts';
import { testEngine } from '../contracts/engine.ts';
import { docker, eventually } from '../support/testbed.ts';
import { damage, fingerprint, rows, runSql, seed } from './mysql/seed.ts';

/** Every version of both products is held to the same promises. */
export function testMysql(image: string): void {
  const product = image.startsWith('mariadb') ? 'MariaDB' : 'MySQL';
  const admin = product === 'MariaDB' ? 'mariadb-admin' : 'mysqladmin';
  testEngine(image, {
    engine: mysql,
    image,
    container: (password) => ({ env: { [`${product.toUpperCase()}_ROOT_PASSWORD`]: password } }),
    // The init phase has a server too, on the socket only: ready means it answers on TCP.
    ready: (name) =>
      eventually(async () => void (await docker('exec', name, admin, '-h127.0.0.1', '--silent', 'ping'))),
    seed: async (name) => void (await runSql(name, product, seed(product))),
    fingerprint: (name) => fingerprint(name, product),
    damage: async (name) => void (await runSql(name, product, damage)),
    byHandFingerprint: (name, artifact) => rows(name, product, artifact),
    strictKinds: [],
  });
}

testMysql('mariadb:11.8');
testMysql('mysql:9');
