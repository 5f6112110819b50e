import { commandNames, type Entry, entries, globalOptions } from '../../src/cli/entries.ts';
import { parse } from '../../src/cli/program.ts';
import { asLifeboatError } from '../../src/domain/errors.ts';
import type { Check, Code, Flaw, Page } from './page.ts';

/** Ways to call Lifeboat; what follows are its arguments. */
const calls = [
  /docker (?:compose )?exec (?:-\S+ )*sidecar (?:lifeboat\b ?)?/g,
  /docker compose run (?:-\S+ )*sidecar\b ?/g,
  /docker run .*?\blifeboat:\S+ ?/g,
  /(?<![-\w/.] ?)lifeboat (?=[a-z-])/g,
];

/** Every command line is one that Lifeboat takes: its command, arguments and options. */
export const commands: Check = function* ({ blocks, spans }) {
  for (const code of [...blocks.flatMap((block) => [...linesOf(block)]), ...spans]) yield* commandLines(code);
  for (const { text, at } of spans) {
    if (commandNames.some((name) => text.startsWith(`${name} `))) yield* flawOf(text, at);
  }
};

/** The reference of the commands has each one, with its arguments and options, as the program knows them. */
export const commandReference: Check = function* (page) {
  if (!page.path.endsWith('reference/cli.md')) return;
  for (const option of globalOptions) {
    if (!optionIn(page.text, option.flags)) yield { at: 0, what: `the option ${option.flags} is missing` };
  }
  for (const entry of entries) yield* sectionFlaws(page, entry, '');
};

// --- utils ---

function* commandLines({ text, at }: Code): Iterable<Flaw> {
  for (const call of calls) {
    for (const found of text.matchAll(call)) {
      const start = found.index + found[0].length;
      yield* flawOf(text.slice(start), at + start);
    }
  }
}

function* flawOf(line: string, at: number): Iterable<Flaw> {
  const words = wordsOf(line);
  if (words.includes('command') || words.some((word) => word.includes('…'))) return;
  try {
    parse(words, '');
  } catch (error) {
    yield { at, what: `lifeboat ${words.join(' ')}: ${asLifeboatError(error).message}` };
  }
}

/** Words as a shell makes them of the start of a line, up to its first operator or comment. `<id>` stands for a word. */
function wordsOf(line: string): readonly string[] {
  const plain = line.replaceAll(/<([a-z|]+)>/g, '$1').replace(/^(.*?)(?:\s#|[|<>;&)]|\s[\d]?>).*$/s, '$1');
  return Array.from(plain.matchAll(/(?:"[^"]*"|'[^']*'|[^\s"'])+/g), ([word]) => word.replaceAll(/["']/g, '')).filter(
    (word) => word !== '--help',
  );
}

function* linesOf({ text, at }: Code): Iterable<Code> {
  let start = 0;
  for (const line of text.split('\n')) {
    yield { text: line, at: at + start };
    start += line.length + 1;
  }
}

function* sectionFlaws({ text }: Page, entry: Entry, group: string): Iterable<Flaw> {
  const { name, usage, options = [], commands: children = [], hidden } = entry;
  for (const child of children) yield* sectionFlaws({ text } as Page, child, `${name} `);
  if (hidden || children.length > 0) return;
  const heading = `## ${group}${name}${usage ? ` ${usage.replaceAll('<', '\\<')}` : ''}\n`;
  const at = text.indexOf(heading);
  if (at < 0) {
    yield { at: 0, what: `there is no section "${heading.trim()}"` };
    return;
  }
  const section = text.slice(at, text.indexOf('\n## ', at));
  for (const { flags } of options) {
    if (!optionIn(section, flags)) yield { at, what: `the option ${flags} is missing` };
  }
}

/** A row of a table: the flags as people write them. */
function optionIn(text: string, flags: string): boolean {
  const row = flags.replace(/^(-\w), (.*)$/, '$1`, `$2');
  return text.includes(`| \`${row}\` |`);
}
