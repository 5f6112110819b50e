import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { LifeboatError } from '../../src/domain/errors.ts';
import { mysql } from '../../src/engines/mysql/index.ts';
import { testEngine } from '../contracts/engine.ts';
import { docker, dockerWithInput, eventually, shellOf, startContainer } from '../support/testbed.ts';
import { backUp, environment, options, putBack, ready, silent, soon, startServer } from './mysql/bench.ts';
import { damage, fingerprint, type Product, rows, runSql, seed, standAlone } from './mysql/seed.ts';

/** Every version of both products is held to the same promises. */
export function testMysql(image: string, usesPipes = false): void {
  const product: Product = image.startsWith('mariadb') ? 'MariaDB' : 'MySQL';
  testEngine(`${image}${usesPipes ? ' through pipes' : ''}`, {
    usesPipes,
    engine: mysql,
    image,
    container: (password) => ({ env: { [`${product.toUpperCase()}_ROOT_PASSWORD`]: password } }),
    ready: (name) => ready(name, product),
    seed: async (name) => void (await runSql(name, product, seed(product))),
    fingerprint: (name) => fingerprint(name, product),
    damage: async (name) => void (await runSql(name, product, damage)),
    beforeByHand: async (name) => void (await runSql(name, product, standAlone)),
    // The server is lost: the databases come back under their own names, and grants on tables when the tables are there.
    byHandLine: (line) => line.replaceAll(/restored_(shop|other)\b/g, '$1'),
    byHandAgain: ['users'],
    byHandFingerprint: (name, artifact, isRestored) => rows(name, product, artifact, isRestored),
    leavingOut: { databases: 'none', 'exclude-databases': '*' },
    strictKinds: [],
  });
}

testMysql('mariadb:11.8');
testMysql('mysql:9');
testMysql('mariadb:11.8', true);
testMysql('mysql:9', true);

const fails = (code: string, words: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LifeboatError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(`${error.message} ${error.hint ?? ''}`, words);
  return true;
};
const ownDatabases = `SELECT SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME LIKE '%lifeboat%'`;

for (const product of ['MariaDB', 'MySQL'] as const) {
  describe(`restoring ${product}`, { concurrency: false }, () => {
    it('undoes the switch when it fails, and leaves nothing behind', async () => {
      await using server = await startServer(product);
      await runSql(server.name, product, seed(product));
      const taken = await backUp(server.id, options());
      await runSql(server.name, product, damage);
      // A view of the backup looks into a table that is no more: known only once everything is in its place.
      await runSql(server.name, product, 'DROP TABLE other.t');
      const before = await fingerprint(server.name, product);
      await assert.rejects(
        putBack(server.id, taken, { only: ['shop'] }),
        fails('RESTORE_FAILED', /undone.*as they were/s),
      );
      assert.equal(await fingerprint(server.name, product), before);
      assert.equal(await runSql(server.name, product, ownDatabases), '');
    });

    it('keeps foreign keys of other databases on the restored tables, and the replaced tables beside them', async () => {
      await using server = await startServer(product);
      await runSql(server.name, product, seed(product));
      const taken = await backUp(server.id, options());
      const before = await fingerprint(server.name, product);
      await runSql(server.name, product, 'DELETE FROM shop.orders');
      const restored = await putBack(server.id, taken, { only: ['shop'] });
      assert.equal(await fingerprint(server.name, product), before);
      assert.ok(restored.warnings.some((warning) => warning.includes('other.child')));
      assert.match(restored.kept.join(), /shop__lifeboat_prev_test02/);
      assert.equal(await runSql(server.name, product, 'SELECT COUNT(*) FROM shop__lifeboat_prev_test02.orders'), '0');
      const survey = await mysql.survey(await shellOf(server.id), options(), soon());
      assert.ok(survey.left.some(({ name }) => name === 'shop__lifeboat_prev_test02'));
      await assert.rejects(runSql(server.name, product, 'DELETE FROM shop.customers WHERE id = 5000'), /foreign key/);
    });

    it('ends sessions that hold the tables, and goes on', async () => {
      await using server = await startServer(product);
      await runSql(
        server.name,
        product,
        'CREATE DATABASE shop; CREATE TABLE shop.t (x int); INSERT INTO shop.t VALUES (1)',
      );
      const taken = await backUp(server.id, options());
      await runSql(server.name, product, 'INSERT INTO shop.t VALUES (2)');
      const blocking = runSql(
        server.name,
        product,
        'BEGIN; SELECT * FROM t FOR UPDATE; DO SLEEP(100)',
        '--database=shop',
      );
      blocking.catch(() => {});
      const sitting = "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE INFO LIKE 'DO SLEEP%'";
      await eventually(async () => assert.equal(await runSql(server.name, product, sitting), '1'));
      await putBack(server.id, taken);
      assert.equal(await runSql(server.name, product, 'SELECT * FROM shop.t'), '1');
      await assert.rejects(blocking);
    });

    it('restores beside the original under another name, with its events off', async () => {
      await using server = await startServer(product);
      await runSql(server.name, product, seed(product));
      const taken = await backUp(server.id, options());
      const before = await fingerprint(server.name, product);
      const restored = await putBack(server.id, taken, { as: 'co`py s', only: ['shop'] });
      assert.equal(await fingerprint(server.name, product), before);
      const copied = 'SELECT (SELECT COUNT(*) FROM orders), (SELECT COUNT(*) FROM a_view)';
      assert.equal(await runSql(server.name, product, copied, '--database=co`py s'), '26\t8');
      const events = "SELECT DISTINCT STATUS FROM information_schema.EVENTS WHERE EVENT_SCHEMA LIKE 'co%'";
      assert.equal(await runSql(server.name, product, events), 'DISABLED');
      assert.ok(restored.warnings.some((warning) => /procedure p/.test(warning)));
      assert.ok(restored.warnings.some((warning) => /view over_maker was not made/.test(warning)));
      await assert.rejects(
        putBack(server.id, taken, { as: 'co`py s', only: ['shop'] }),
        fails('RESTORE_REFUSED', /exists/),
      );
      await assert.rejects(putBack(server.id, taken, { as: 'x' }), fails('USAGE', /exactly one/));
    });

    it('takes back rows that are longer as SQL than the server takes', async () => {
      await using server = await startServer(product);
      const megabytes = product === 'MariaDB' ? 12 : 40;
      const make = `CREATE DATABASE shop; CREATE TABLE shop.t (x longblob); INSERT INTO shop.t SELECT repeat('x', ${megabytes} * 1048576)`;
      await runSql(server.name, product, make);
      const taken = await backUp(server.id, options());
      await runSql(server.name, product, 'DROP DATABASE shop');
      const limit = () => runSql(server.name, product, 'SELECT @@global.max_allowed_packet');
      const before = await limit();
      await putBack(server.id, taken);
      assert.equal(await runSql(server.name, product, 'SELECT LENGTH(x) FROM shop.t'), String(megabytes * 1048576));
      assert.equal(await limit(), before);
    });

    it('leaves alone what the backup left out, and makes accounts without touching those that exist', async () => {
      await using server = await startServer(product);
      const make = `CREATE DATABASE shop; USE shop; CREATE TABLE t (x int PRIMARY KEY); INSERT INTO t VALUES (1);
        CREATE TABLE sessions (x int, FOREIGN KEY (x) REFERENCES t (x)); INSERT INTO sessions VALUES (1);
        CREATE TRIGGER s BEFORE INSERT ON sessions FOR EACH ROW SET @a = 1; CREATE TRIGGER t BEFORE INSERT ON t FOR EACH ROW SET @a = 1;
        CREATE USER stays@'%' IDENTIFIED BY 'old'; CREATE USER goes@'%' IDENTIFIED BY 'x'; GRANT SELECT ON shop.t TO goes@'%';`;
      await runSql(server.name, product, make);
      const chosen = options({ 'exclude-tables': ['*.sess*'] });
      const taken = await backUp(server.id, chosen);
      assert.ok(!taken.plain.get('database shop')?.includes('sessions'));
      await runSql(
        server.name,
        product,
        "ALTER USER stays@'%' IDENTIFIED BY 'new'; DROP USER goes@'%'; DELETE FROM shop.sessions",
      );
      await putBack(server.id, taken, {}, silent, chosen);
      assert.equal(await runSql(server.name, product, 'SELECT COUNT(*) FROM shop.sessions'), '0');
      assert.equal(
        await runSql(server.name, product, 'SHOW TRIGGERS FROM shop').then((text) => text.split('\n').length),
        2,
      );
      await assert.rejects(runSql(server.name, product, 'INSERT INTO shop.sessions VALUES (7)'), /foreign key/);
      const client = product === 'MariaDB' ? 'mariadb' : 'mysql';
      await docker('exec', '-e', 'MYSQL_PWD=new', server.name, client, '-ustays', '-e', 'SELECT 1');
      await docker('exec', '-e', 'MYSQL_PWD=x', server.name, client, '-ugoes', '-e', 'SELECT * FROM shop.t');
    });
  });

  describe(`saving ${product}`, { concurrency: false }, () => {
    it('tells what an account does not see, and what cannot be saved', async () => {
      await using server = await startServer(product);
      const make = `CREATE DATABASE shop; CREATE TABLE shop.t (x int); CREATE PROCEDURE shop.p() SELECT 1; CREATE TABLE shop.old (x int) ENGINE = MyISAM;
        CREATE TRIGGER shop.g BEFORE INSERT ON shop.t FOR EACH ROW SET @a = 1;
        CREATE USER app@'%' IDENTIFIED BY 'app'; GRANT SELECT, LOCK TABLES, SHOW VIEW, EVENT ON shop.* TO app@'%';`;
      await runSql(server.name, product, make);
      const shell = await shellOf(server.id);
      const limited = {
        ...shell,
        container: { ...shell.container, env: { MYSQL_USER: 'app', MYSQL_PASSWORD: 'app' } },
      };
      const { warnings, items } = await mysql.survey(limited, options(), soon());
      assert.ok(
        warnings.some((warning) => /does not see routines, triggers of shop/.test(warning)),
        warnings.join(),
      );
      assert.ok(
        warnings.some((warning) => /users and grants are not in the backup/.test(warning)),
        warnings.join(),
      );
      assert.deepEqual(
        items.map(({ name }) => name),
        ['shop'],
      );
      const from = { artifacts: [], server: { product, version: '1.0.0', identity: '' } };
      const preview = await mysql.preview(limited, from as never, { suffix: 'x' }, options(), soon());
      assert.match(preview.refusals.join(), /use root/);
    });

    it('does as it is told about tables that are not transactional', async () => {
      await using server = await startServer(product);
      await runSql(
        server.name,
        product,
        'CREATE DATABASE shop; CREATE TABLE shop.old (x int) ENGINE = MyISAM; CREATE DATABASE good; CREATE TABLE good.t (x int)',
      );
      const shell = await shellOf(server.id);
      const told = await mysql.survey(shell, options(), soon());
      assert.match(told.warnings.join(), /not transactional.*shop\.old/);
      assert.match(told.consistency, /1 table that is not transactional/);
      const fail = options({ 'non-transactional': 'fail' });
      await assert.rejects(mysql.survey(shell, fail, soon()), fails('QUIESCE_FAILED', /shop\.old/));
      await mysql.survey(shell, options({ 'non-transactional': 'fail', 'exclude-tables': ['shop.old'] }), soon());
      const lock = options({ 'non-transactional': 'lock' });
      const argv: string[] = [];
      const taken = await backUp(server.id, lock, async ({ produce }) => {
        if (produce.from === 'command') argv.push(produce.exec.argv.join(' '));
      });
      assert.match(taken.survey.consistency, /shop under a lock/);
      assert.ok(argv[0]?.includes('--single-transaction') && argv[0].endsWith(' good'), argv.join());
      assert.ok(argv[1]?.includes('--lock-all-tables') && !argv[1].includes('--single-transaction'), argv.join());
    });

    it('fails when a definition changes meanwhile', async () => {
      await using server = await startServer(product);
      await runSql(
        server.name,
        product,
        'CREATE DATABASE shop; CREATE TABLE shop.t (x int); CREATE VIEW shop.v AS SELECT x FROM shop.t',
      );
      const changing = backUp(server.id, options(), async ({ kind }) => {
        if (kind === 'database')
          await runSql(server.name, product, 'ALTER TABLE shop.t RENAME TO shop.u; CREATE TABLE shop.t (x int)');
      });
      await assert.rejects(
        changing,
        (error) => fails('DUMP_INCOMPLETE', /shop/)(error) && (error as LifeboatError).retryable,
      );
    });

    it('fault 23: refuses a dump that is cut anywhere, that lacks a table, or whose tool failed although it wrote the end mark', async () => {
      await using server = await startServer(product);
      const rows = "INSERT INTO a VALUES (1, 'x'), (2, '),(;'), (3, NULL)";
      await runSql(
        server.name,
        product,
        `CREATE DATABASE shop; USE shop; CREATE TABLE a (id int, x text); ${rows}; CREATE TABLE b (id int); INSERT INTO b VALUES (4), (5);
         CREATE VIEW v AS SELECT id FROM a; CREATE PROCEDURE p() SELECT 1`,
      );
      const taken = await backUp(server.id, options());
      const shell = await shellOf(server.id);
      const artifact = taken.artifacts.find(({ name }) => name === 'shop') ?? assert.fail('a dump of shop');
      const whole = taken.plain.get('database shop')?.toString('latin1') ?? '';
      const prove = (text: string) =>
        mysql.prove(shell, artifact, Readable.from([Buffer.from(text, 'latin1')]), options(), soon());
      await prove(whole);
      const places = [...whole.matchAll(/\),|\);|;\n|\n(?=--)/g)].map(({ 0: found, index }) => index + found.length);
      assert.ok(places.length > 20 && whole.includes('-- Dump completed'), whole);
      for (const cut of [...places, whole.length - 1].filter((place) => place < whole.length)) {
        await assert.rejects(prove(whole.slice(0, cut)), fails('PROOF_FAILED', /shop/), whole.slice(cut - 60, cut));
      }
      // What --force leaves out stands nowhere; the end mark does.
      const from = whole.indexOf('-- Table structure for table `b`');
      const left = whole.slice(0, from) + whole.slice(whole.indexOf('-- Temporary', from));
      const { counts } = await prove(left);
      const catalogue = artifact.counts.filter(({ how }) => how !== 'dump');
      const lacking = [{ ...artifact, counts: [...catalogue, ...counts] }];
      await assert.rejects(
        mysql.review(shell, taken.survey, lacking, options(), soon()),
        fails('PROOF_FAILED', /1 of 2 tables/),
      );
      const tool = product === 'MariaDB' ? 'mariadb-dump' : 'mysqldump';
      await dockerWithInput(
        `#!/bin/sh\n/usr/bin/${tool} "$@"; code=$?; [ "$1" = --version ] && exit $code\necho "${tool}: table b is gone" >&2; exit 2\n`,
        ...[
          'exec',
          '-i',
          '-u',
          'root',
          server.name,
          'sh',
          '-c',
          `cat >/usr/local/bin/${tool}; chmod 755 /usr/local/bin/${tool}`,
        ],
      );
      await assert.rejects(backUp(server.id, options()), fails('COMMAND_FAILED', /exit code 2.*table b is gone/s));
    });

    it('fault 24: fails at a view that looks into nothing, by its name, unless it is left out on purpose', async () => {
      await using server = await startServer(product);
      await runSql(
        server.name,
        product,
        'CREATE DATABASE shop; CREATE TABLE shop.t (x int); CREATE VIEW shop.v AS SELECT x FROM shop.t; CREATE TABLE shop.u (x int); DROP TABLE shop.t',
      );
      await assert.rejects(backUp(server.id, options()), fails('COMMAND_FAILED', /shop\.v/));
      const taken = await backUp(server.id, options({ 'exclude-tables': ['shop.v'] }));
      assert.ok(taken.survey.left.some(({ name }) => name === 'shop.v'));
    });

    it('fault 3: says what is wrong with a login or an image', async () => {
      await using server = await startServer(product, { env: { ...environment(product), WRONG: 'not the pa$$word' } });
      const shell = await shellOf(server.id);
      const wrong = options({ 'password-env': 'WRONG' });
      await assert.rejects(mysql.survey(shell, wrong, soon()), (error) => {
        assert.ok(!JSON.stringify(error, Object.getOwnPropertyNames(error)).includes('pa$$word'));
        return fails('LOGIN_FAILED', /root.*denied.*password-env/s)(error);
      });
      await using empty = await startContainer('redis:8', { env: { MYSQL_ROOT_PASSWORD: 'x' } });
      const surveyed = mysql.survey(await shellOf(empty.id), options(), soon());
      await assert.rejects(surveyed, fails('TOOL_MISSING', /redis:8.*tools-image/s));
    });

    it('works with the tools of another container over the network', async () => {
      await using server = await startServer(product);
      await runSql(
        server.name,
        product,
        'CREATE DATABASE shop; CREATE TABLE shop.t (x int); INSERT INTO shop.t VALUES (1)',
      );
      const chosen = options({ 'tools-image': product === 'MariaDB' ? 'mariadb:11.8' : 'mysql:9' });
      const taken = await backUp(server.id, chosen);
      await runSql(server.name, product, 'DELETE FROM shop.t');
      await putBack(server.id, taken, {}, silent, chosen);
      assert.equal(await runSql(server.name, product, 'SELECT * FROM shop.t'), '1');
    });
  });
}

describe('triggers of MariaDB that name their database', () => {
  it('are never made on the live tables before the switch', async () => {
    await using server = await startServer('MariaDB');
    const make = `CREATE DATABASE shop; USE shop; CREATE TABLE t (x int); CREATE TABLE log (x int);
      CREATE TRIGGER shop.g BEFORE INSERT ON shop.t FOR EACH ROW INSERT INTO shop.log VALUES (NEW.x);`;
    await runSql(server.name, 'MariaDB', make);
    const taken = await backUp(server.id, options());
    await runSql(server.name, 'MariaDB', 'DROP TRIGGER shop.g');
    const triggers = () => runSql(server.name, 'MariaDB', 'SHOW TRIGGERS FROM shop');
    const switching = async () => assert.equal(await triggers(), '');
    await putBack(server.id, taken, {}, { ...silent, switching });
    assert.match(await triggers(), /^g\tINSERT\tt\t/);
    await runSql(server.name, 'MariaDB', 'INSERT INTO shop.t VALUES (5)');
    assert.equal(await runSql(server.name, 'MariaDB', 'SELECT x FROM shop.log'), '5');
  });
});
