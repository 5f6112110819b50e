import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LifeboatError } from '../../domain/errors.ts';
import type { Container } from '../../domain/types.ts';
import { byHand } from './by-hand.ts';
import { mysql } from './index.ts';
import { planLogin } from './login.ts';
import { isAtLeast, toolVersion } from './tools.ts';

function container(env: Record<string, string>, image = 'mariadb:11.8'): Container {
  return { name: 'db', image, env } as unknown as Container;
}
const options = (given: object = {}) => mysql.options.parse(given);

describe('how to log in', () => {
  it('prefers root by the variables of the image, values before files', () => {
    assert.deepEqual(planLogin(container({ MYSQL_ROOT_PASSWORD: 'x', MYSQL_USER: 'u' }), options()), {
      user: 'root',
      password: { kind: 'variable', name: 'MYSQL_ROOT_PASSWORD' },
      isRoot: true,
    });
    const plan = planLogin(container({ MARIADB_ROOT_PASSWORD_FILE: '/run/secrets/pw' }), options());
    assert.deepEqual(plan.password, { kind: 'file', path: '/run/secrets/pw', variable: 'MARIADB_ROOT_PASSWORD_FILE' });
  });

  it('falls back to an empty root password where that is allowed, then to the account of the application', () => {
    assert.deepEqual(planLogin(container({ MYSQL_ALLOW_EMPTY_PASSWORD: 'yes' }), options()), {
      user: 'root',
      isRoot: true,
    });
    const plan = planLogin(
      container({ MARIADB_USER: 'u', MARIADB_PASSWORD: 'p', MARIADB_ROOT_PASSWORD_HASH: '*A' }),
      options(),
    );
    assert.deepEqual(plan, {
      user: { kind: 'variable', name: 'MARIADB_USER' },
      password: { kind: 'variable', name: 'MARIADB_PASSWORD' },
      isRoot: false,
    });
  });

  it('says so when the root password cannot be known', () => {
    for (const name of [
      'MARIADB_ROOT_PASSWORD_HASH',
      'MYSQL_RANDOM_ROOT_PASSWORD',
      'MARIADB_ROOT_PASSWORD_HASH_FILE',
    ]) {
      assert.throws(
        () => planLogin(container({ [name]: 'x' }), options()),
        (error) =>
          error instanceof LifeboatError && error.code === 'LOGIN_FAILED' && /password-env/.test(error.hint ?? ''),
      );
    }
  });

  it('does what the options say', () => {
    const env = { MARIADB_ROOT_PASSWORD: 'x', BACKUP_PASSWORD: 'y' };
    const named = planLogin(container(env), options({ user: 'backup', 'password-env': 'BACKUP_PASSWORD' }));
    assert.deepEqual(named, { user: 'backup', password: { kind: 'variable', name: 'BACKUP_PASSWORD' }, isRoot: false });
    const file = planLogin(container(env), options({ 'password-file': '/x' }));
    assert.deepEqual(file.password, { kind: 'file', path: '/x' });
    assert.throws(() => planLogin(container(env), options({ 'password-env': 'NONE' })), LifeboatError);
  });

  it('writes a line for people that holds no secret', () => {
    const facts = {
      client: 'mariadb',
      reach: [],
      shape: { characterSet: 'utf8mb4', collation: 'utf8mb4_bin' },
      excluded: [],
    };
    const artifact = { name: 'shop', kind: 'database', extension: 'sql', facts };
    const line = byHand(container({ MARIADB_ROOT_PASSWORD: 'secret' }), artifact, options());
    assert.ok(!line.includes('secret') && line.includes('"$MARIADB_ROOT_PASSWORD"'), line);
    const file = byHand(container({ MYSQL_ROOT_PASSWORD_FILE: '/f' }), artifact, options());
    assert.ok(file.includes('$(cat "$MYSQL_ROOT_PASSWORD_FILE")'), file);
  });
});

describe('which containers hold data of MySQL or MariaDB', () => {
  const yes = [
    'mysql',
    'mysql:9',
    'mariadb:11.8',
    'percona:8',
    'percona/percona-server:8.0',
    'bitnami/mysql:8.4',
    'bitnami/mariadb-galera',
    'lscr.io/linuxserver/mariadb:10',
    'mysql/mysql-server:8.0',
    'container-registry.oracle.com/mysql/community-server:9',
    'registry:5000/team/mariadb@sha256:ab',
  ];
  const no = [
    'prom/mysqld-exporter',
    'phpmyadmin',
    'adminer',
    'proxysql/proxysql',
    'databack/mysql-backup',
    'fradelg/mysql-cron-backup',
    'percona/percona-server-mongodb:7',
    'percona/percona-xtrabackup',
    'percona/pmm-server',
    'linuxserver/mysql-workbench',
    'mysql/mysql-router',
    'mariadb/maxscale',
    'wordpress',
    'postgres:17',
    'mysqlfoo/app',
  ];
  for (const image of yes) it(`recognises ${image}`, () => assert.equal(mysql.recognise(container({}, image)), true));
  for (const image of no)
    it(`does not take ${image} for one`, () => assert.equal(mysql.recognise(container({}, image)), false));

  it('recognises children of the official images by their environment', () => {
    assert.ok(mysql.recognise(container({ MARIADB_VERSION: '1:11.8.6' }, 'registry/shop-db:3')));
    assert.ok(mysql.recognise(container({ MYSQL_MAJOR: '9', MYSQL_VERSION: '9.7.4' }, 'registry/shop-db:3')));
    assert.ok(!mysql.recognise(container({ MYSQL_HOST: 'db', MYSQL_PASSWORD: 'x' }, 'registry/shop:3')));
  });
});

describe('versions of tools', () => {
  it('are read from what each tool prints', () => {
    assert.equal(toolVersion('mysqldump  Ver 9.7.4-2 for Linux on x86_64 ((Debian))'), '9.7.4');
    assert.equal(toolVersion('mysqldump  Ver 10.13 Distrib 5.7.44, for Linux (x86_64)'), '5.7.44');
    assert.equal(
      toolVersion('mysqldump  Ver 10.19 Distrib 10.11.18-MariaDB, for debian-linux-gnu (x86_64)'),
      '10.11.18',
    );
    assert.equal(toolVersion('mariadb-dump from 11.8.6-MariaDB, client 10.19 for debian-linux-gnu (x86_64)'), '11.8.6');
  });

  it('are compared number by number', () => {
    assert.ok(isAtLeast('10.11.2', 10, 11) && isAtLeast('11.4.1', 10, 11) && isAtLeast('9.7.4', 9, 7));
    assert.ok(!isAtLeast('10.6.12', 10, 11) && !isAtLeast('9.10.0', 10) && !isAtLeast('8.4', 8, 4, 1));
  });
});
