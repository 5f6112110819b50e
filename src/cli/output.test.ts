import assert from 'node:assert/strict';
import { test } from 'node:test';
import { clean, takesColor } from './output.ts';

test('colours are for terminals, and for those who insist', () => {
  const tty = { isTTY: true };
  const cases: readonly [boolean, { isTTY?: boolean }, Record<string, string>][] = [
    [true, tty, {}],
    [false, {}, {}],
    [false, tty, { NO_COLOR: '1' }],
    [true, tty, { NO_COLOR: '' }],
    [false, tty, { TERM: 'dumb' }],
    [true, {}, { FORCE_COLOR: '1' }],
    [true, {}, { CLICOLOR_FORCE: '1', NO_COLOR: '1', TERM: 'dumb' }],
    [false, {}, { FORCE_COLOR: '0', CLICOLOR_FORCE: '0' }],
  ];
  for (const [wanted, stream, env] of cases)
    assert.equal(takesColor(stream, env), wanted, JSON.stringify([stream, env]));
});

test('fault 108: a terminal obeys nothing that others wrote', () => {
  assert.equal(clean('a\u001b]0;title\u0007b\rc\u009b2J\u001b[2Jd'), 'a�]0;title�b�c�2J�[2Jd');
  assert.equal(clean('\u001b[31mours\u001b[39m\tx\ny'), '\u001b[31mours\u001b[39m\tx\ny');
});
