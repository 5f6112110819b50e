import assert from 'node:assert/strict';
import { test } from 'node:test';
import { artifactFile } from './artifact-file.ts';

const file = (name: string) => artifactFile({ name, extension: 'sql' }, [{ extension: 'zst' }]);

test('an artifact is called as what it holds, in characters that mean nothing to anybody', () => {
  assert.equal(file('shop'), 'shop.sql.zst');
  assert.equal(file('/data/a b~.db'), '%2Fdata%2Fa%20b%7E.db.sql.zst');
});

test('a name that is too long for a file is shortened, and told from others that begin alike', () => {
  const long = '漢'.repeat(40);
  const names = [long, `${long}a`, `${long}b`, `a${long}`, `ab${long}`].map(file);
  assert.equal(new Set(names).size, names.length);
  for (const name of names) assert.match(name, /^a?b?(?:%[0-9A-F]{2})+~[0-9a-f]{16}\.sql\.zst$/);
  for (const name of names) assert.ok(name.length < 200, name);
});
