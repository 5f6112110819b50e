import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Manifest } from '../../src/domain/manifest.ts';
import { ready } from '../engines/mysql/bench.ts';
import { runSql } from '../engines/mysql/seed.ts';
import { makeHome } from '../support/daemon.ts';
import { postgresReady, psql } from '../support/postgres.ts';
import { docker, everyVersion, nastyPassword, runId, startContainer } from '../support/testbed.ts';

/** Names that careless quoting takes for an option, a connection string, a pattern, a path or two lines. */
const nastyNames = [
  '--file=/x',
  'dbname=x host=evil',
  `postgresql://it's "so" %s $HOME $(id) \`id\`; -- \\n`,
  'line\nbreak',
  'grüße-日本/../*',
];

interface Server {
  readonly image: string;
  readonly env: Readonly<Record<string, string>>;
  isUp(name: string): Promise<void>;
  /** Runs SQL in that database, or in none. */
  sql(name: string, text: string, database?: string): Promise<string>;
  quoted(database: string): string;
  /** One that is too long for a file's name when it is URL-encoded, where the server allows such. */
  readonly longest: string;
}

const quotedBy = (quote: string) => (name: string) => `${quote}${name.replaceAll(quote, quote + quote)}${quote}`;
const mysql = (product: 'MariaDB' | 'MySQL', image: string): Server => ({
  image,
  env: { [`${product.toUpperCase()}_ROOT_PASSWORD`]: nastyPassword },
  isUp: (name) => ready(name, product),
  sql: (name, text, database) =>
    runSql(name, product, `${database === undefined ? '' : `USE ${quotedBy('`')(database)};\n`}${text}`),
  quoted: quotedBy('`'),
  longest: '漢'.repeat(40),
});

const servers: readonly Server[] = [
  {
    image: 'postgres:17',
    env: { POSTGRES_PASSWORD: nastyPassword },
    isUp: (name) => postgresReady(name),
    sql: (name, text, database = 'postgres') => psql(name, text, database),
    quoted: quotedBy('"'),
    longest: '漢'.repeat(21),
  },
  mysql('MariaDB', 'mariadb:11.8'),
  ...(everyVersion ? [mysql('MySQL', 'mysql:9')] : []),
];

describe('databases whose names mean something to somebody', { concurrency: true }, () => {
  for (const { image, env, isUp, sql, quoted, longest } of servers) {
    const names = [...nastyNames, longest];
    it(`fault 93: are just names to ${image}, backed up, chosen and restored`, async () => {
      const project = `lbn${runId}${process.pid}${image.replace(/\W/g, '')}`;
      const labels = Object.entries({ project, service: 'db', 'container-number': '1' }).flatMap(([name, value]) => [
        ...['--label', `com.docker.compose.${name}=${value}`],
      ]);
      await using server = await startContainer(image, { env, run: labels });
      await using home = await makeHome(project);
      await isUp(server.name);
      for (const [i, name] of names.entries()) {
        await sql(server.name, `CREATE DATABASE ${quoted(name)}`);
        await sql(server.name, `CREATE TABLE t (x int); INSERT INTO t VALUES (${i}), (${i})`, name);
      }
      const found = async (name: string) => sql(server.name, 'SELECT x FROM t', name).catch(() => 'gone');

      const backup = await home.lifeboat(['backup']);
      assert.equal(backup.code, 0, backup.stderr);
      const listed = JSON.parse((await home.lifeboat(['list', '--json'])).stdout) as { backups: { id: string }[] };
      assert.equal(listed.backups.length, 1);
      const shown = await home.lifeboat(['show', listed.backups[0]?.id ?? '', '--json']);
      const { artifacts, warnings } = (JSON.parse(shown.stdout) as { manifest: Manifest }).manifest;
      assert.deepEqual(warnings, []);
      const kept = artifacts.map(({ name }) => name);
      for (const name of names) assert.ok(kept.includes(name), `${JSON.stringify(name)} is in ${JSON.stringify(kept)}`);
      assert.equal((await home.lifeboat(['verify', '--level', 'structure'])).code, 0);

      for (const [i, name] of names.entries()) {
        await sql(server.name, 'DELETE FROM t', name);
        if (i % 2 === 0) await sql(server.name, `DROP DATABASE ${quoted(name)}`);
      }
      const one = await home.lifeboat(['restore', 'db', `--database=${names[0]}`, '--yes', '--no-safety-backup']);
      assert.equal(one.code, 0, one.stderr);
      assert.deepEqual(await Promise.all(names.map(found)), ['0\n0', '', 'gone', '', 'gone', '']);
      const all = await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']);
      assert.equal(all.code, 0, all.stderr);
      for (const [i, name] of names.entries()) assert.equal(await found(name), `${i}\n${i}`, JSON.stringify(name));
      assert.equal(await docker('exec', server.name, 'sh', '-c', 'ls -d /x* 2>/dev/null || true'), '');
    });
  }
});
