import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { oneOf } from './grammar.ts';
import {
  bareOption,
  defaultOf,
  grammarOf,
  isBareOption,
  optionBool,
  optionDuration,
  optionInteger,
  optionList,
  optionOneOf,
  optionSchedule,
  optionSize,
  optionText,
} from './option.ts';

const Options = z.strictObject({
  databases: bareOption(optionList()).prefault('*').describe('What to save.'),
  modes: optionList(oneOf(['a', 'b'])).optional(),
  method: optionOneOf(['rdb', 'aof']).prefault('rdb'),
  port: optionInteger(1, 65535).optional(),
  lock: optionBool().default(false),
  wait: optionDuration().prefault('5m'),
  limit: optionSize().optional(),
  user: optionText().optional(),
  when: optionSchedule().optional(),
});

describe('options', () => {
  it('read text', () => {
    const text = {
      databases: 'shop, blog',
      modes: '["a"]',
      method: 'AOF',
      port: '5432',
      lock: 'yes',
      wait: '90s',
      limit: '64MiB',
      user: 'postgres',
      when: '@Daily',
    };
    assert.deepEqual(Options.parse(text), {
      databases: ['shop', 'blog'],
      modes: ['a'],
      method: 'aof',
      port: 5432,
      lock: true,
      wait: 90_000,
      limit: 64 * 2 ** 20,
      user: 'postgres',
      when: '@daily',
    });
  });

  it('have their defaults', () => {
    assert.deepEqual(Options.parse({}), { databases: ['*'], method: 'rdb', lock: false, wait: 300_000 });
  });

  it('take what was parsed before', () => {
    const once = Options.parse({ databases: 'a', port: '1', lock: 'on', wait: '1h', limit: '1kB' });
    assert.deepEqual(Options.parse(once), once);
  });

  it('refuse everything else with the message of the grammar', () => {
    const cases: readonly (readonly [object, RegExp])[] = [
      [{ port: '99999' }, /"99999" is not a valid integer; allowed: whole numbers from 1 to 65535/],
      [{ wait: '7dd' }, /"7dd" is not a valid duration/],
      [{ method: 'x' }, /allowed: rdb, aof/],
      [{ modes: 'a, c' }, /"c" is not a valid word/],
      [{ databases: [1] }, /expected items/],
      [{ lock: 1 }, /expected true, false/],
      [{ method: null }, /expected rdb, aof/],
    ];
    for (const [given, message] of cases) {
      const result = Options.safeParse(given);
      assert.equal(result.success, false);
      assert.match(result.error?.issues[0]?.message ?? '', message);
    }
  });

  it('tell their grammar, default and whether they are bare through any wrapping', () => {
    assert.deepEqual(
      Object.entries(Options.shape).map(([key, schema]) => [
        key,
        grammarOf(schema)?.name,
        defaultOf(schema),
        isBareOption(schema),
      ]),
      [
        ['databases', 'list', '*', true],
        ['modes', 'list of word', undefined, false],
        ['method', 'word', 'rdb', false],
        ['port', 'integer', undefined, false],
        ['lock', 'bool', false, false],
        ['wait', 'duration', '5m', false],
        ['limit', 'size', undefined, false],
        ['user', 'text', undefined, false],
        ['when', 'schedule', undefined, false],
      ],
    );
    assert.equal(grammarOf(z.string()), undefined);
    assert.equal(isBareOption(bareOption(z.string()).describe('x').optional()), true);
  });
});
