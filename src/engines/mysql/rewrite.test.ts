import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { disableEvent, names, redirectSequences, unqualifyTrigger } from './rewrite.ts';

describe('rewriting definitions for another database', () => {
  it('redirects the defaults that draw from sequences, and nothing that only looks like them', () => {
    const table = (database: string) =>
      `CREATE TABLE \`t\` (\`a\` int DEFAULT nextval(\`${database}\`.\`s\`), \`b\` int DEFAULT lastval(${database}.s), \`c\` text DEFAULT 'nextval(\`shop\`.\`s\`)' COMMENT 'nextval(\`shop\`.\`s\`)')`;
    const before = table('shop');
    const after = redirectSequences(before, 'shop', 'new');
    assert.equal(
      after,
      table('shop').replace('nextval(`shop`', 'nextval(`new`').replace('lastval(shop', 'lastval(`new`'),
    );
    assert.equal(redirectSequences(table('elsewhere'), 'shop', 'new'), table('elsewhere'));
  });

  it('takes the database out of the head of a trigger, and leaves its body alone', () => {
    const body = 'FOR EACH ROW INSERT INTO shop.log SELECT * FROM shop.x WHERE ON.a = 1';
    for (const [head, expected] of [
      ['TRIGGER shop.t BEFORE INSERT ON shop.orders', 'TRIGGER t BEFORE INSERT ON orders'],
      ['TRIGGER `sh``op` . `t` AFTER UPDATE ON /* x */ `shop`.`o n`', 'TRIGGER `t` AFTER UPDATE ON /* x */ `o n`'],
      ['TRIGGER IF NOT EXISTS shop.t BEFORE INSERT ON orders', 'TRIGGER IF NOT EXISTS t BEFORE INSERT ON orders'],
      ['TRIGGER t BEFORE INSERT ON orders', 'TRIGGER t BEFORE INSERT ON orders'],
    ]) {
      const prefix = '/*!50003 CREATE*/ /*!50017 DEFINER=`r`@`h`*/ /*!50003 ';
      assert.equal(unqualifyTrigger(`${prefix}${head} ${body} */`), `${prefix}${expected} ${body} */`);
    }
  });

  it('switches an event off, unless it is off, and does not look into its body', () => {
    const event = (state: string) =>
      `/*!50106 EVENT \`ENABLE\` ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01' ON COMPLETION NOT PRESERVE ${state} COMMENT 'ENABLE' DO SELECT ENABLE */`;
    assert.equal(disableEvent(event('ENABLE')), event('DISABLE'));
    assert.equal(disableEvent(event('DISABLE')), event('DISABLE'));
  });

  it('tells which definitions name a database', () => {
    assert.ok(names('SELECT * FROM `shop`.`t`', 'shop'));
    assert.ok(names('SELECT * FROM shop . t', 'shop'));
    assert.ok(!names("SELECT 'shop'.x, `shop`, shopping.t -- shop.t\n", 'shop'));
  });
});
