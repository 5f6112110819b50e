import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Container } from '../domain/types.ts';
import { byHand as mysqlByHand } from './mysql/by-hand.ts';
import { MysqlOptions } from './mysql/options.ts';
import { byHand, dropLine } from './postgres/by-hand.ts';
import { PostgresOptions } from './postgres/options.ts';

const container = (env: Record<string, string>) => ({ name: 'db', env }) as unknown as Container;
const database = { name: 'shop', kind: 'database', extension: 'dump', facts: {} };
const globals = { ...database, name: 'globals', kind: 'globals' };
const line = (env: Record<string, string>, options: object) =>
  byHand(container(env), globals, PostgresOptions.parse(options));

test('a line for PostgreSQL takes user, port and password from where the sidecar takes them', () => {
  assert.equal(line({}, {}), "docker exec -i db sh -c 'psql -U postgres -d postgres'");
  assert.match(line({}, { user: 'app', port: '5433' }), /'psql -U app -p 5433 -d postgres'$/);
  assert.match(line({ POSTGRES_USER: 'shop' }, {}), /'psql -U shop -d postgres'$/);
  assert.match(line({ POSTGRES_USER_FILE: '/run/u' }, {}), /-U "\$\(cat "\$POSTGRES_USER_FILE"\)" /);
  assert.match(line({ POSTGRESQL_PASSWORD: 'secret' }, {}), /'export PGPASSWORD="\$POSTGRESQL_PASSWORD"; psql /);
  assert.match(line({ X: 'secret' }, { 'password-env': 'X' }), /'export PGPASSWORD="\$X"; psql /);
  const port = PostgresOptions.parse({ port: '5433' });
  assert.equal(byHand(container({}), database, port).match(/-p 5433/g)?.length, 2, 'both of its programs');
  assert.match(dropLine(container({}), 'shop', port), /-p 5433 -d postgres -c/);
});

test('a line by a tools image has the address, and the name of the user as the container has it', () => {
  const tools = { 'tools-image': 'postgres:17' };
  const run = 'docker run --rm -i --network container:db -e PGPASSWORD postgres:17 sh -c';
  assert.equal(line({ PGPORT: '5433' }, tools), `${run} 'psql -U postgres -h 127.0.0.1 -p 5433 -d postgres'`);
  assert.match(line({ POSTGRES_USER: 'shop', POSTGRES_PASSWORD: 'secret' }, tools), /'psql -U shop -h 127.0.0.1 /);
  assert.match(line({ POSTGRES_USER_FILE: '/u' }, tools), /-U "\$1" .*' sh "\$\(docker exec -u 0 db cat \/u\)"$/);
});

test('a line for MySQL goes over TCP where the dump had to', () => {
  const reach = ['--protocol=tcp', '--host=127.0.0.1', '--port=3307'];
  const users = { ...database, kind: 'users', facts: { client: 'mysql', reach } };
  const options = MysqlOptions.parse({ user: 'root' });
  const typed = mysqlByHand(container({ MYSQL_ROOT_PASSWORD: 'secret' }), users, options);
  assert.match(typed, /; exec mysql --protocol=tcp --host=127.0.0.1 --port=3307 --user=root --binary-mode/);
});

test('a line for MySQL by a tools image does not look there for the variables of the container', () => {
  const users = { ...database, kind: 'users', facts: { client: 'mariadb', reach: [] } };
  const env = { MYSQL_RANDOM_ROOT_PASSWORD: '1', MYSQL_USER: 'shop', MYSQL_PASSWORD: 'secret' };
  const typed = mysqlByHand(container(env), users, MysqlOptions.parse({ 'tools-image': 'mariadb:11.8' }));
  assert.match(typed, /--user=shop /);
});
