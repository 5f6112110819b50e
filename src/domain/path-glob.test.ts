import assert from 'node:assert/strict';
import { it } from 'node:test';
import { matchesPath } from './path-glob.ts';

it('matches paths as patterns in .gitignore do', () => {
  const cases: readonly [string, string, boolean][] = [
    ['cache/**', 'cache/a/b', true],
    ['cache/**', 'cache/.hidden', true],
    ['cache/**', 'cache', false],
    ['cache/**', 'other/cache/a', false],
    ['**/*.tmp', 'x.tmp', true],
    ['**/*.tmp', 'a/b/x.tmp', true],
    ['*.tmp', 'a/x.tmp', false],
    ['a?c', 'abc', true],
    ['a?c', 'a/c', false],
    ['a?c', 'aüc', true],
    ['[!ab]x', 'cx', true],
    ['[!ab]x', 'ax', false],
    ['[a-c]x', 'bx', true],
    ['{one,two}/x', 'two/x', true],
    ['{one,two}/x', 'three/x', false],
    ['a.b+(c)$', 'a.b+(c)$', true],
    ['a.b', 'axb', false],
    ['\\*x', '*x', true],
    ['\\*x', 'yx', false],
    ['line*', 'line\nbreak', true],
  ];
  for (const [pattern, path, expected] of cases)
    assert.equal(matchesPath(path, pattern), expected, `${pattern} ${path}`);
});
