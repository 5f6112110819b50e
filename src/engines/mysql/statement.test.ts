import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { understand } from './statement.ts';

describe('the statements of a dump', () => {
  const cases: readonly [string, object][] = [
    ['INSERT INTO `a``b` VALUES (1)', { does: 'insert', table: 'a`b', namesColumns: false }],
    ['INSERT INTO `t` (`x`, row_start) VALUES (1,2)', { does: 'insert', table: 't', namesColumns: true }],
    ['REPLACE INTO `t` VALUES (1)', { does: 'insert', table: 't', namesColumns: false }],
    ['CREATE TABLE `CREATE VIEW x` (\n `a` int)', { does: 'create', what: 'table', name: 'CREATE VIEW x' }],
    ['CREATE SEQUENCE `s1` start with 100', { does: 'create', what: 'sequence', name: 's1' }],
    ['/*!50001 CREATE VIEW `v` AS SELECT \n 1 AS `id`*/', { does: 'create', what: 'placeholder', name: 'v' }],
    [
      '/*!50001 CREATE ALGORITHM=UNDEFINED */\n/*!50013 DEFINER=`ro``ot`@`%` SQL SECURITY DEFINER */\n/*!50001 VIEW `v` AS select 1 */',
      { does: 'create', what: 'view', name: 'v' },
    ],
    [
      '/*!50001 CREATE ALGORITHM=UNDEFINED */ /*!50013 DEFINER=`r`@`h` SQL SECURITY DEFINER */ /*!50001 JSON RELATIONAL DUALITY VIEW `jv` AS select 1 */',
      { does: 'create', what: 'view', name: 'jv' },
    ],
    [
      '/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 TRIGGER trg BEFORE INSERT ON orders FOR EACH ROW SET @x = 1 */',
      { does: 'create', what: 'trigger', name: 'trg' },
    ],
    [
      '/*!50106 CREATE*/ /*!50117 DEFINER=`TABLE`@`h`*/ /*!50106 EVENT `e` ON SCHEDULE EVERY 1 DAY DO SELECT 1 */',
      { does: 'create', what: 'event', name: 'e' },
    ],
    ['CREATE DEFINER=`r`@`h` FUNCTION `f`(a int) RETURNS int', { does: 'create', what: 'function', name: 'f' }],
    ['CREATE DEFINER=`r`@`h` AGGREGATE FUNCTION `f`() RETURNS int', { does: 'create', what: 'function', name: 'f' }],
    ['CREATE DEFINER=`r`@`h` PACKAGE BODY `p` AS END', { does: 'create', what: 'package body', name: 'p' }],
    ['CREATE DEFINER=`r`@`h` PACKAGE `body` AS END', { does: 'create', what: 'package', name: 'body' }],
    ['CREATE LIBRARY `l`\n LANGUAGE JAVASCRIPT AS $$ $$', { does: 'create', what: 'library', name: 'l' }],
    ['DROP TABLE IF EXISTS `t`', { does: 'drop', what: 'table' }],
    ['/*!50001 DROP VIEW IF EXISTS `v`*/', { does: 'drop', what: 'view' }],
    ['/*!50003 SET sql_mode = "x" */ ', { does: 'set' }],
    ['ALTER DATABASE `shop` CHARACTER SET latin1', { does: 'alter database' }],
    ['/*!40000 ALTER TABLE `t` DISABLE KEYS */', { does: 'serve' }],
    ['LOCK TABLES `t` WRITE', { does: 'serve' }],
    ['UNLOCK TABLES', { does: 'serve' }],
    ['DO SETVAL(`s1`, 10100, 0)', { does: 'serve' }],
    ['VACUUM `t`', { does: 'other', word: 'VACUUM' }],
    ['CREATE MASKING POLICY x', { does: 'other', word: 'CREATE' }],
  ];
  for (const [text, expected] of cases) {
    it(`understands ${text.slice(0, 60).replaceAll('\n', ' ')}`, () => assert.deepEqual(understand(text), expected));
  }

  it('reads names in the character set of the dump', () => {
    const bytes = Buffer.from('CREATE TABLE `ü€😀` (x int)').toString('latin1');
    assert.deepEqual(understand(bytes), { does: 'create', what: 'table', name: 'ü€😀' });
  });
});
