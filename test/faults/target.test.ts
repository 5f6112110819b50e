import assert from 'node:assert/strict';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { LifeboatError } from '../../src/domain/errors.ts';
import type { Manifest } from '../../src/domain/manifest.ts';
import { command } from '../../src/engines/command/index.ts';
import type { Engine } from '../../src/engines/engine.ts';
import { mysql } from '../../src/engines/mysql/index.ts';
import { postgres } from '../../src/engines/postgres/index.ts';
import { redis } from '../../src/engines/redis/index.ts';
import { sampleManifest } from '../samples/manifest.ts';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';
import { docker, dockerWithInput, eventually, shellOf, startContainer } from '../support/testbed.ts';

const signal = () => AbortSignal.timeout(60_000);

describe('a restore into a PostgreSQL that cannot take the backup', { concurrency: false }, () => {
  let stack: SmallStack;
  let home: Home;
  let path: string;
  let whole: string;
  before(async () => {
    stack = await startSmallStack();
    await stack.psql('CREATE ROLE seller; ALTER TABLE orders OWNER TO seller; CREATE EXTENSION pg_trgm');
    home = await makeHome(stack.project);
    assert.equal((await home.lifeboat(['backup', 'db'])).code, 0);
    const root = join(home.folder, 'backups');
    const found = await readdir(root, { recursive: true });
    path = join(root, found.find((name) => /\/\d{8}[^/]*\/manifest\.json$/.test(name)) ?? '');
    whole = await readFile(path, 'utf8');
  });
  after(async () => {
    await home[Symbol.asyncDispose]();
    await stack[Symbol.asyncDispose]();
  });

  /** Restores as if the manifest said something else. */
  async function restoreWith(change: (manifest: Manifest) => void) {
    const manifest = JSON.parse(whole) as Manifest;
    change(manifest);
    await writeFile(path, JSON.stringify(manifest));
    await stack.psql('DELETE FROM orders WHERE id > 10');
    const ended = await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']);
    const rows = await stack.psql('SELECT count(*) FROM orders');
    await writeFile(path, whole);
    return { ...ended, rows };
  }
  const shapeOf = (manifest: Manifest) =>
    manifest.artifacts.find(({ name }) => name === 'shop')?.facts.shape as {
      extensions: { name: string; version: string }[];
      collate: string;
    };

  it('fault 80: a server that is older than the dump is refused, a newer one is told of', async () => {
    const older = await restoreWith((manifest) => {
      manifest.server.version = '99.1';
    });
    assert.equal(older.code, 1, older.stderr);
    assert.match(older.stderr, /the backup is of PostgreSQL 99\.1, this server is version 17/);
    assert.match(older.stderr, /nothing was touched/);
    assert.equal(older.rows, '10');
    const newer = await restoreWith((manifest) => {
      manifest.server.version = '13.4';
    });
    assert.equal(newer.code, 0, newer.stderr);
    assert.match(newer.stderr, /! the backup is of PostgreSQL 13\.4, this server is version 17/);
    assert.equal(newer.rows, '1000');
  });

  it('fault 81: extensions and locales that the server lacks are named, all at once', async () => {
    const lacking = await restoreWith((manifest) => {
      const { extensions } = shapeOf(manifest);
      extensions.push({ name: 'postgis', version: '3.5' }, { name: 'timescaledb', version: '2.17' });
    });
    assert.equal(lacking.code, 1, lacking.stderr);
    assert.match(lacking.stderr, /shop has the extension postgis 3\.5, which this server does not have/);
    assert.match(lacking.stderr, /timescaledb 2\.17/);
    assert.equal(lacking.rows, '10');
    const foreign = await restoreWith((manifest) => {
      const shape = shapeOf(manifest);
      shape.collate = 'xx_XX.utf8';
      for (const extension of shape.extensions) if (extension.name === 'pg_trgm') extension.version = '99.0';
    });
    assert.notEqual(foreign.code, 0);
    assert.match(foreign.stderr, /shop has the locale xx_XX\.utf8, which this server does not list/);
    assert.match(foreign.stderr, /shop has the extension pg_trgm 99\.0, this server only 1\./);
    assert.equal(foreign.rows, '10', 'what the server refused was not switched to');
  });

  it('fault 81: roles that the server lacks are made before what they own', async () => {
    await stack.psql('ALTER TABLE orders OWNER TO postgres');
    for (const name of await previous()) await stack.psql(`DROP DATABASE "${name}" WITH (FORCE)`);
    await stack.psql('DROP ROLE seller');
    const { code, stderr } = await restoreWith(() => {});
    assert.equal(code, 0, stderr);
    assert.equal(await stack.psql("SELECT tableowner FROM pg_tables WHERE tablename = 'orders'"), 'seller');
  });

  const previous = async () =>
    (await stack.psql("SELECT datname FROM pg_database WHERE datname LIKE '%lifeboat%'")).split('\n').filter(Boolean);
});

describe('a container that is not what an engine needs', { concurrency: false }, () => {
  it('fault 20: without a shell: each engine says so, and what to do', async () => {
    const recipe = `FROM debian:trixie-slim AS base
FROM scratch
COPY --from=base /usr/bin/sleep /sleep
COPY --from=base /usr/lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libc.so.6
COPY --from=base /usr/lib64/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2`;
    const bare = 'lifeboat-testbed/no-shell-at-all';
    await dockerWithInput(recipe, 'build', '-q', '-t', bare, '-');
    const secret = { POSTGRES_PASSWORD_FILE: '/run/secrets/x' };
    await using container = await startContainer(bare, { args: ['/sleep', 'infinity'], run: ['--init'], env: secret });
    const shell = await shellOf(container.id);
    const engines: readonly [Engine<never>, unknown][] = [
      [postgres as Engine<never>, postgres.options.parse({})],
      [redis as Engine<never>, redis.options.parse({})],
      [command as Engine<never>, { run: ['dump'], filename: 'output', 'min-bytes': 1 }],
    ];
    for (const [engine, options] of engines) {
      await assert.rejects(engine.survey(shell, options as never, signal()), (error: unknown) => {
        assert.ok(error instanceof LifeboatError, String(error));
        assert.equal(error.code, 'TOOL_MISSING', error.message);
        assert.match(error.message, /has no shell/, engine.name);
        assert.ok(error.hint);
        return true;
      });
    }
    await assert.rejects(mysql.survey(shell, mysql.options.parse({}), signal()), {
      code: 'TOOL_MISSING',
      message: /no-shell-at-all has no mysqldump/,
      hint: /tools-image/,
    });
    await docker('image', 'rm', '-f', bare);
  });

  it('fault 80: MariaDB and MySQL refuse what a newer server wrote, and tell of an older one', async () => {
    await using server = await startContainer('mariadb:11.8', { env: { MARIADB_ROOT_PASSWORD: 'secret' } });
    await eventually(async () => {
      await docker('exec', server.name, 'mariadb-admin', '-uroot', '-psecret', '-h127.0.0.1', 'ping');
    });
    const shell = await shellOf(server.id);
    const options = mysql.options.parse({});
    const previewOf = (product: string, version: string) => {
      const artifact = { ...sampleManifest().artifacts[0], facts: { excluded: [] } };
      const manifest = sampleManifest({ server: { product, version, identity: 'x' }, artifacts: [artifact as never] });
      return mysql.preview(shell, manifest, { suffix: 'x' }, options, signal());
    };
    const newer = await previewOf('MariaDB', '99.1.2');
    assert.match(newer.refusals.join(), /of MariaDB 99\.1\.2, this server is MariaDB 11\.8.*older servers/);
    const older = await previewOf('MariaDB', '10.6.1');
    assert.deepEqual(older.refusals, []);
    assert.match(older.warnings.join(), /of MariaDB 10\.6\.1, this server is MariaDB 11\.8/);
    const other = await previewOf('MySQL', '8.4.0');
    assert.match(other.refusals.join(), /not interchangeable/);
  });
});
