import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { LifeboatError } from '../../domain/errors.ts';
import type { Proof, ReviewedArtifact } from '../engine.ts';
import { accountsScript, parseAccounts } from './accounts.ts';
import { understandGrant } from './grants.ts';
import { prove, review } from './proof.ts';

const artifact = { name: 'shop', kind: 'database', extension: 'sql', facts: {} };

const dump = `/*M!999999\\- enable the sandbox mode */ 
-- MariaDB dump 10.19-11.8.6-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: shop
-- ------------------------------------------------------

/*!40101 SET NAMES utf8mb4 */;
--
-- Table structure for table \`t\`
--

DROP TABLE IF EXISTS \`t\`;
CREATE TABLE \`t\` (
  \`id\` int(11) NOT NULL DEFAULT (1),
  \`x\` text DEFAULT 'a;b'
);
LOCK TABLES \`t\` WRITE;
INSERT INTO \`t\` VALUES
(1,'a'),
(2,'),(');
INSERT INTO \`t\` (\`id\`, \`x\`) VALUES (3,'-- Dump completed on 2026-11-21  8:28:47\\n');
UNLOCK TABLES;
CREATE TABLE \`empty\` (\`x\` int(11));
CREATE SEQUENCE \`s\` start with 1;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`r\`@\`h\`*/ /*!50003 TRIGGER g BEFORE INSERT ON t FOR EACH ROW BEGIN SET @x = ';'; END */;;
DELIMITER ;
/*!50001 CREATE VIEW \`v\` AS SELECT
 1 AS \`id\` */;
DELIMITER ;;
CREATE DEFINER=\`r\`@\`h\` PROCEDURE \`p\`()
BEGIN SELECT 1; END ;;
DELIMITER ;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50013 DEFINER=\`r\`@\`h\` SQL SECURITY DEFINER */
/*!50001 VIEW \`v\` AS select 1 AS \`id\` */;
/*!40101 SET SQL_MODE=@OLD_SQL_MODE */;

-- Dump completed on 2026-11-21  8:28:47
`;

const read = (text: string | Buffer, facts = artifact): Promise<Proof> =>
  prove(facts, Readable.from([Buffer.from(text as string)]), AbortSignal.timeout(10_000));

const refused = (text: string | Buffer, what: string) =>
  assert.rejects(
    read(text),
    (error) => error instanceof LifeboatError && error.code === 'PROOF_FAILED',
    `accepted: ${what}`,
  );

const reviewed = (counts: ReviewedArtifact['counts']): ReviewedArtifact => ({ ...artifact, plainBytes: 1, counts });

describe('the proof of a dump', () => {
  it('counts what the dump makes and the rows of each table', async () => {
    const { counts } = await read(dump);
    assert.deepEqual(counts, [
      {
        how: 'dump',
        objects: {
          tables: 2,
          views: 1,
          procedures: 1,
          functions: 0,
          triggers: 1,
          events: 0,
          sequences: 1,
          'bytes of the longest statement': 128,
          'rows of t': 3,
          'rows of empty': 0,
        },
      },
    ]);
  });

  it('refuses a dump cut anywhere', async () => {
    for (let cut = 0; cut < dump.length; cut += 1) await refused(dump.slice(0, cut), `cut at ${cut}`);
  });

  it('refuses a dump with a piece missing from its middle, when that leaves anything open', async () => {
    await refused(dump.replace("(2,'),(');", "(2,'),("), 'a string that swallows the next statement');
    await refused(
      dump.replace('DELIMITER ;\n/*!50001 CREATE ALGORITHM', '/*!50001 CREATE ALGORITHM'),
      'a delimiter not put back',
    );
    await refused(dump.replace(/CREATE TABLE `t`[^;]*;[^;]*;/, ''), 'rows of a table that is not made');
    await refused(
      dump.replace('\n-- Dump completed', 'DELIMITER ;;\n\n-- Dump completed'),
      'a foreign delimiter at the end',
    );
    await refused(`${dump}SELECT 1;\n`, 'a statement after the end marker');
    await refused(`${dump}${dump}`.replace(/^.*\n/, ''), 'two dumps in one');
  });

  it('refuses what is no dump', async () => {
    for (const text of ['', '\n', 'hello', '\0\0\0', dump.slice(dump.indexOf('DROP TABLE'))])
      await refused(text, text.slice(0, 20));
    await refused(Buffer.alloc(3 * 1024 * 1024, '-- x'), 'an endless comment');
  });

  it('is not taken in by an end marker when the catalogue had more', async () => {
    const { counts } = await read(dump.replace(/CREATE TABLE `empty`.*;\n/, ''));
    const catalogue = { how: 'catalogue' as const, objects: { tables: 2, views: 1, procedures: 1 } };
    assert.throws(() => review([reviewed([catalogue, ...counts])]), /1 of 2 tables/);
    const wholeCounts = (await read(dump)).counts;
    assert.match(review([reviewed([catalogue, ...wholeCounts])]).method, /2 of 2 tables/);
    const events = { how: 'catalogue' as const, objects: { ...catalogue.objects, events: 1 } };
    assert.throws(() => review([reviewed([events, ...wholeCounts])]), /0 of 1 events/);
    const fewer = { how: 'catalogue' as const, objects: { ...catalogue.objects, procedures: 0 } };
    assert.throws(() => review([reviewed([fewer, ...wholeCounts])]), /1 of 0 procedures/);
  });

  it('reads at least 100 MB/s', async () => {
    const row = `(123456,'it\\'s a text with \\\\ and \\"quotes\\" ü€',-12.5,0x00FF27,NULL,'2026-01-01 00:00:00')`;
    const insert = `INSERT INTO \`t\` VALUES ${Array.from({ length: 10_000 }, () => row).join(',')};\n`;
    const [head = '', tail = ''] = dump.split('UNLOCK TABLES;\n');
    async function* chunks() {
      yield Buffer.from(head);
      const bytes = Buffer.from(insert);
      for (let round = 0; round < 50; round += 1)
        for (let at = 0; at < bytes.length; at += 65_536) yield bytes.subarray(at, at + 65_536);
      yield Buffer.from(tail);
    }
    const before = process.cpuUsage();
    const { counts } = await prove(artifact, Readable.from(chunks()), AbortSignal.timeout(60_000));
    const { user, system } = process.cpuUsage(before);
    const speed = (50 * Buffer.byteLength(insert)) / (user + system);
    assert.equal(counts[0]?.objects['rows of t'], 500_003);
    assert.ok(speed > 100, `${speed.toFixed(0)} MB per second of processor time`);
  });
});

describe('the artifact of accounts', () => {
  const account = (user: string, create: string, ...grants: string[]) => ({
    user,
    host: '%',
    isRole: false,
    create,
    grants: grants.map(understandGrant),
  });
  const accounts = [
    account(
      "o'dd\n`;ü",
      "CREATE USER IF NOT EXISTS `o'dd\n``;ü`@`%` IDENTIFIED BY PASSWORD '*A;B'",
      'GRANT SELECT ON `shop`.* TO `x`@`%`',
    ),
    account('PUBLIC', '', 'GRANT USAGE ON *.* TO PUBLIC'),
  ];
  const script = accountsScript(accounts, 'MySQL 9');

  it('comes back as it was written', () => assert.deepEqual(parseAccounts(Buffer.from(script)), accounts));

  it('is refused when it is cut anywhere', () => {
    const bytes = Buffer.from(script);
    for (let cut = 0; cut < bytes.length; cut += 1) {
      assert.throws(() => parseAccounts(bytes.subarray(0, cut)), LifeboatError, `cut at ${cut}`);
    }
  });
});
