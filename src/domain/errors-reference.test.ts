import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { it } from 'node:test';

const read = (path: string) => readFile(new URL(path, import.meta.url), 'utf8');

it('every error code has a section in docs/reference/errors.md, and no section is left over', async () => {
  const [source, page] = await Promise.all([read('./errors.ts'), read('../../docs/reference/errors.md')]);
  const union = /export type ErrorCode =([^;]+);/.exec(source)?.[1] ?? '';
  const codes = Array.from(union.matchAll(/'([A-Z_]+)'/g), ([, code]) => code);
  assert.ok(codes.length > 20, 'the union was found');
  const sections = Array.from(page.matchAll(/^## ([A-Z_]+)$/gm), ([, code]) => code);
  assert.deepEqual(sections.toSorted(), codes.toSorted());
});
