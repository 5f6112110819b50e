import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { codeScript, DumpSplitter, namingDatabase } from './split.ts';

async function split(dump: string, chunk = 7) {
  const bytes = Buffer.from(dump);
  const parts = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, n) =>
    bytes.subarray(n * chunk, (n + 1) * chunk),
  );
  const splitter = new DumpSplitter('shop', 'new');
  const tables = await text(Readable.from(splitter.tables(Readable.from(parts)), { objectMode: false }));
  return { tables, code: splitter.code };
}

const place = { database: 'x`y', defaults: 'CHARACTER SET utf8mb4 COLLATE utf8mb4_bin', isCopy: false };

const dump = `-- MariaDB dump
/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */;
/*!40101 SET NAMES utf8mb4 */;
DROP TABLE IF EXISTS \`t\`;
CREATE TABLE \`t\` (\`a\` int DEFAULT nextval(\`shop\`.\`s\`));
INSERT INTO \`t\` VALUES (1),(';');
/*!50003 SET @saved_cs_client      = @@character_set_client */ ;
/*!50003 SET character_set_client  = latin1 */ ;
/*!50003 SET @saved_sql_mode       = @@sql_mode */ ;
/*!50003 SET sql_mode              = 'ANSI_QUOTES,STRICT_ALL_TABLES' */ ;
DELIMITER ;;
/*!50003 CREATE*/ /*!50017 DEFINER=\`r\`@\`h\`*/ /*!50003 TRIGGER shop.g BEFORE INSERT ON shop.t FOR EACH ROW SET @x = ';' */;;
DELIMITER ;
/*!50003 SET sql_mode              = @saved_sql_mode */ ;
/*!50003 SET character_set_client  = @saved_cs_client */ ;
/*!50106 SET @save_time_zone= @@TIME_ZONE */ ;
/*!50106 DROP EVENT IF EXISTS \`e\` */;
DELIMITER ;;
/*!50003 SET time_zone             = 'SYSTEM' */ ;;
/*!50106 CREATE*/ /*!50117 DEFINER=\`r\`@\`h\`*/ /*!50106 EVENT \`e\` ON SCHEDULE EVERY 1 DAY ENABLE DO DELETE FROM shop.t */ ;;
DELIMITER ;
/*!50106 SET TIME_ZONE= @save_time_zone */ ;
ALTER DATABASE \`shop\` CHARACTER SET latin1 COLLATE latin1_swedish_ci ;
DELIMITER ;;
CREATE DEFINER=\`r\`@\`h\` PROCEDURE \`p\`() SELECT 'ü' ;;
DELIMITER ;
ALTER DATABASE \`shop\` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin ;
/*!50001 CREATE ALGORITHM=UNDEFINED */
/*!50001 VIEW \`v\` AS select 1 AS \`a\` */;
-- Dump completed
`;

describe('taking a dump apart', () => {
  it('lets tables and rows through, with their sequences beside them, and nothing that could touch another database', async () => {
    for (const chunk of [1, 7, 10_000]) {
      const { tables } = await split(dump, chunk);
      assert.ok(tables.includes('CREATE TABLE `t` (`a` int DEFAULT nextval(`new`.`s`));\n'), tables);
      assert.ok(tables.includes("INSERT INTO `t` VALUES (1),(';');\n"));
      assert.ok(!/shop|TRIGGER|EVENT|PROCEDURE|VIEW|ALTER DATABASE|DROP|DELIMITER/.test(tables), tables);
    }
  });

  it('keeps each definition with the settings it is to be made under', async () => {
    const { code } = await split(dump);
    assert.deepEqual(
      code.map(({ kind, name }) => `${kind} ${name}`),
      ['trigger shop', 'event e', 'procedure p', 'view v'],
    );
    const script = codeScript(code, place);
    const [trigger = '', event = '', procedure = '', view = ''] = script.split('DELIMITER ;\n');
    assert.match(trigger, /SET character_set_client = latin1;\nSET sql_mode = 'ANSI_QUOTES,STRICT_ALL_TABLES';/);
    assert.match(trigger, /TRIGGER g BEFORE INSERT ON t FOR EACH ROW/);
    assert.match(
      event,
      /SET character_set_client = utf8mb4;\nSET sql_mode = 'NO_AUTO_VALUE_ON_ZERO';\nSET time_zone = 'SYSTEM';/,
    );
    assert.match(procedure, /^ALTER DATABASE `x``y` CHARACTER SET latin1 COLLATE latin1_swedish_ci;/);
    assert.doesNotMatch(procedure, /SYSTEM/);
    assert.match(view, /^ALTER DATABASE `x``y` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin;\nDROP VIEW IF EXISTS `v`;/);
    assert.equal(Buffer.from(script, 'latin1').toString('utf8').includes("SELECT 'ü'"), true);
  });

  it('switches events off in a copy and tells what still means the original', async () => {
    const { code } = await split(dump);
    assert.match(codeScript(code, { ...place, isCopy: true }), /EVERY 1 DAY DISABLE DO/);
    assert.match(codeScript(code, place), /EVERY 1 DAY ENABLE DO/);
    assert.deepEqual(namingDatabase(code, 'shop'), ['event e']);
  });

  it('refuses a dump that ends inside a statement', async () => {
    await assert.rejects(split("INSERT INTO `t` VALUES (1),('"), /is cut/);
  });
});
