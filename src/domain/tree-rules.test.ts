import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isLeftOut, type TreeRules } from './tree-rules.ts';

const rules = (given: Partial<TreeRules>): TreeRules => ({
  folder: '/app/uploads',
  include: [],
  exclude: [],
  leave: [],
  ...given,
});

it('leaves out what is excluded, saved elsewhere, or of a restore', () => {
  const given = rules({
    exclude: ['*.tmp', 'thumbs/**', '/app/uploads/logs', 'cache/'],
    leave: ['app.db', 'app.db-wal'],
  });
  for (const path of [
    'x.tmp',
    'a/b/x.tmp',
    'thumbs/a/b',
    'logs',
    'cache',
    'app.db',
    'app.db-wal',
    '.lifeboat-restore-a/x',
  ])
    assert.equal(isLeftOut(path, false, given), true, path);
  for (const path of ['x', 'thumbs', 'a/thumbs/b', 'a/logs', 'a/app.db', 'a/.lifeboat-restore-x'])
    assert.equal(isLeftOut(path, false, given), false, path);
});

it('takes only what is included, and what lies in an included folder', () => {
  const given = rules({ include: ['*.jpg', 'keep', '/app/uploads/exact/*'], exclude: ['keep/not'] });
  for (const path of ['a.jpg', 'x/a.jpg', 'keep/deep/file', 'exact/file', 'exact/folder/file'])
    assert.equal(isLeftOut(path, false, given), false, path);
  for (const path of ['a.png', 'exact', 'keep/not']) assert.equal(isLeftOut(path, false, given), true, path);
  assert.equal(isLeftOut('any/folder', true, given), false, 'folders are walked through');
});
