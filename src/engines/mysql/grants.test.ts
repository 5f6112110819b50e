import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { understandGrant } from './grants.ts';
import { blindSpots, privilegesOf } from './privileges.ts';

describe('grants', () => {
  it('never carry a password', () => {
    const cases: readonly [string, string][] = [
      ["GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*AB'", 'GRANT USAGE ON *.* TO `a`@`%`'],
      [
        "GRANT ALL PRIVILEGES ON *.* TO `a`@`%` IDENTIFIED BY PASSWORD '*AB' WITH GRANT OPTION",
        'GRANT ALL PRIVILEGES ON *.* TO `a`@`%` WITH GRANT OPTION',
      ],
      [
        "GRANT USAGE ON *.* TO `a`@`%` IDENTIFIED VIA ed25519 USING 'x WITH y' OR unix_socket REQUIRE SSL WITH MAX_USER_CONNECTIONS 5",
        'GRANT USAGE ON *.* TO `a`@`%` REQUIRE SSL WITH MAX_USER_CONNECTIONS 5',
      ],
      [
        'GRANT SELECT ON `IDENTIFIED`.* TO `IDENTIFIED BY`@`%`',
        'GRANT SELECT ON `IDENTIFIED`.* TO `IDENTIFIED BY`@`%`',
      ],
    ];
    for (const [line, expected] of cases) assert.equal(understandGrant(line).statement, expected);
  });

  it('tell what must exist before they can be given', () => {
    const object = (line: string) => understandGrant(line).object;
    assert.equal(object('GRANT SELECT ON *.* TO `a`@`%`'), undefined);
    assert.equal(object('GRANT SELECT ON `sh``op`.* TO `a`@`%`'), undefined);
    assert.equal(object("GRANT PROXY ON ''@'%' TO 'root'@'localhost' WITH GRANT OPTION"), undefined);
    assert.deepEqual(object('GRANT SELECT (`id`, `ON`) ON `shop`.`t ü` TO `a`@`%`'), {
      kind: 'table',
      database: 'shop',
      name: 't ü',
    });
    for (const kind of ['PROCEDURE', 'FUNCTION', 'PACKAGE', 'PACKAGE BODY', 'LIBRARY']) {
      const expected = { kind: 'routine', database: 'shop', name: 'p' };
      assert.deepEqual(object(`GRANT EXECUTE ON ${kind} \`shop\`.\`p\` TO \`a\`@\`%\``), expected);
    }
  });

  it('tell which role they give', () => {
    assert.deepEqual(understandGrant('GRANT `reader`@`%` TO `a`@`%`').role, { user: 'reader', host: '%' });
    assert.deepEqual(understandGrant('GRANT `reader` TO `a`@`%` WITH ADMIN OPTION').role, { user: 'reader', host: '' });
    assert.equal(understandGrant('GRANT SELECT ON *.* TO `a`@`%`').role, undefined);
    assert.equal(understandGrant('SET DEFAULT ROLE `reader` FOR `a`@`%`').role, undefined);
  });
});

describe('privileges', () => {
  it('hold for the whole server or for the databases that a pattern names', () => {
    const held = privilegesOf([
      'GRANT SELECT, LOCK TABLES ON *.* TO `a`@`%`',
      'GRANT EVENT, SHOW VIEW ON `shop\\_1`.* TO `a`@`%`',
      'GRANT ALL PRIVILEGES ON `app%`.* TO `a`@`%`',
      'GRANT INSERT ON `a_c`.* TO `a`@`%`',
      'GRANT TRIGGER ON `x`.`y` TO `a`@`%`',
      'GRANT `role` TO `a`@`%`',
    ]);
    assert.ok(held.everywhere('LOCK TABLES') && held.on('any', 'SELECT'));
    assert.ok(held.on('shop_1', 'SHOW VIEW') && !held.on('shopx1', 'EVENT') && !held.everywhere('EVENT'));
    assert.ok(held.on('abc', 'INSERT') && !held.on('abbc', 'INSERT'));
    assert.ok(held.on('app_2', 'TRIGGER') && !held.on('x', 'TRIGGER'));
  });

  it('tell what a dump would leave out without a word', () => {
    const plain = privilegesOf(['GRANT SELECT, SHOW VIEW, LOCK TABLES ON `shop`.* TO `a`@`%`']);
    assert.deepEqual(blindSpots('shop', plain, 'MySQL'), ['routines', 'triggers', 'events']);
    const all = privilegesOf(['GRANT ALL PRIVILEGES ON `shop`.* TO `a`@`%`']);
    assert.deepEqual(blindSpots('shop', all, 'MariaDB'), []);
    assert.deepEqual(blindSpots('other', all, 'MariaDB'), ['routines', 'triggers', 'events']);
    const reader = privilegesOf(['GRANT SELECT, EVENT, TRIGGER ON *.* TO `a`@`%`']);
    assert.deepEqual(blindSpots('shop', reader, 'MySQL'), []);
    assert.deepEqual(blindSpots('shop', reader, 'MariaDB'), []);
  });
});
