import { access, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { type Check, withoutBlocks, withoutCode } from './page.ts';

const headings = new Map<string, Promise<ReadonlySet<string>>>();

/** A relative link leads to a file, and to a heading of it. */
export const links: Check = async function* ({ path, text }) {
  for (const { 1: target = '', index } of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    const why = await brokenLink(path, target);
    if (why) yield { at: index, what: `the link ${target} ${why}` };
  }
};

/** A file that is named in code exists: `docs/…`, `src/…`, `test/…`. Globs and placeholders do not count. */
export const files: Check = async function* ({ spans }) {
  for (const { text, at } of spans) {
    const [file] = /^(?:docs|src|test|testbed|scripts|examples|bench)\/[\w./-]*\w$/.exec(text) ?? [];
    if (file && !(await exists(file))) yield { at, what: `there is no ${file}` };
  }
};

/** Messages of the program send people to pages that exist. */
export const mentions: Check = async function* ({ text }) {
  for (const { 0: file, index } of text.matchAll(/\bdocs\/[\w/-]+\.md(?:#[\w-]+)?/g)) {
    const why = await brokenLink('README.md', file);
    if (why) yield { at: index, what: `${file} ${why}` };
  }
};

async function brokenLink(page: string, target: string): Promise<string | undefined> {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  if (!(await exists(file))) return 'leads nowhere';
  if (anchor === undefined || !file.endsWith('.md')) return undefined;
  const known = headings.get(file) ?? anchorsOf(file);
  headings.set(file, known);
  return (await known).has(anchor) ? undefined : `names no heading of ${file}`;
}

/** Anchors as GitHub makes them of headings. */
async function anchorsOf(file: string): Promise<ReadonlySet<string>> {
  const text = withoutBlocks(await readFile(file, 'utf8'));
  const anchors = new Set(Array.from(text.matchAll(/<a id="([^"]+)">/g), ([, id = '']) => id));
  for (const [, heading = ''] of text.matchAll(/^#+ (.*)$/gm)) {
    const slug = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-');
    let anchor = slug;
    for (let number = 1; anchors.has(anchor); number += 1) anchor = `${slug}-${number}`;
    anchors.add(anchor);
  }
  return anchors;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
