import { access, glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';
import { commandNames, entries } from '../src/cli/entries.ts';
import { readEnvironment } from '../src/config/environment.ts';
import { createVocabulary, serviceEntry } from '../src/config/vocabulary.ts';
import { engines } from '../src/engines/index.ts';

/**
 * Holds the pages to what there is: a relative link leads to a file and to a heading of it, and no page names a command,
 * a variable or a label that does not exist. Fails with the place of each that does.
 */
const vocabulary = createVocabulary(engines);
const commands = new Set([...commandNames, ...entries.map(({ name }) => name), 'lifeboat']);
/** Not configuration: the configuration file itself, and what the project's own tests read. */
const otherVariables = /^LIFEBOAT_(?:CONFIG|TEST|BENCH)/;
/** Not labels of a service: files, and what Lifeboat writes on its own helpers. */
const otherKeys = /^(?:json|schema\.json|role|owner|run)$/;

const problems: string[] = [];
const headings = new Map<string, Promise<ReadonlySet<string>>>();

for await (const page of glob(['*.md', 'docs/**/*.md', 'testbed/*.md', 'bench/*.md', 'examples/**/*.md'])) {
  const text = await readFile(page, 'utf8');
  const tell = (at: number, what: string) => problems.push(`${page}:${text.slice(0, at).split('\n').length}: ${what}`);
  for (const { 1: target = '', index } of withoutCode(text).matchAll(/\]\(([^)\s]+)\)/g)) {
    const why = await brokenLink(page, target);
    if (why) tell(index, `the link ${target} ${why}`);
  }
  for (const { 1: command = '', index } of text.matchAll(
    /docker (?:compose )?exec (?:-\S+ )*sidecar ([a-z][a-z-]*)/g,
  )) {
    if (!commands.has(command)) tell(index, `there is no command ${command}`);
  }
  for (const { 1: command = '', index } of text.matchAll(/(?:`|\$ |^ *|sidecar )lifeboat ([a-z]+)\b(?!:)/gm)) {
    if (!commands.has(command)) tell(index, `there is no command ${command}`);
  }
  // The reference is made from the schema, and lists what is not supported yet.
  if (page.endsWith('reference/configuration.md')) continue;
  for (const { 0: name, 1: next, index } of text.matchAll(/\bLIFEBOAT_[A-Z0-9_]+(?=([<*…{]?))/g)) {
    if (next || name.endsWith('_') || otherVariables.test(name)) continue;
    if (!isVariable(name)) tell(index, `there is no variable ${name}`);
  }
  for (const { 1: key = '', index } of text.matchAll(
    /(?<![\w./@-])lifeboat\.([a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*)(?!\.?[<*…\w])/g,
  )) {
    const inner = /^source\.[^.]+\.(.+)$/.exec(key)?.[1] ?? key;
    if (!otherKeys.test(key) && !serviceEntry(vocabulary, inner)) tell(index, `there is no label lifeboat.${key}`);
  }
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`docs: ${problems.length} problems\n`);
process.exitCode = problems.length > 0 ? 1 : 0;

/** Fenced blocks and code spans give way to spaces, so that places stay the same. */
function withoutCode(text: string): string {
  return text.replaceAll(/^```[\s\S]*?^```|`[^`\n]*`/gm, (code) => code.replaceAll(/[^\n]/g, ' '));
}

async function brokenLink(page: string, target: string): Promise<string | undefined> {
  if (/^[a-z]+:/.test(target)) return undefined;
  const [path = '', anchor] = target.split('#');
  const file = path === '' ? page : normalize(join(dirname(page), path));
  const exists = await access(file).then(
    () => true,
    () => false,
  );
  if (!exists) return 'leads nowhere';
  if (anchor === undefined || !file.endsWith('.md')) return undefined;
  const known = headings.get(file) ?? anchorsOf(file);
  headings.set(file, known);
  return (await known).has(anchor) ? undefined : `names no heading of ${file}`;
}

/** Anchors as GitHub makes them of headings. */
async function anchorsOf(file: string): Promise<ReadonlySet<string>> {
  const text = (await readFile(file, 'utf8')).replaceAll(/^```[\s\S]*?^```/gm, '');
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

/** The reader of the environment knows every form of every name. */
function isVariable(name: string): boolean {
  const surroundings = { redactor: { add: () => {} }, now: new Date() } as never;
  const { problems: found } = readEnvironment({ [name]: '/nonexistent' }, vocabulary, surroundings);
  return !found.some(({ message }) => /unknown|not supported/.test(message));
}
