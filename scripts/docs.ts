import { glob, readFile } from 'node:fs/promises';
import { commandReference, commands } from './docs/commands.ts';
import { configuration } from './docs/configuration.ts';
import { files, links, mentions } from './docs/links.ts';
import { names } from './docs/names.ts';
import { type Check, readPage } from './docs/page.ts';

/**
 * Holds the pages to what there is: links, files, commands with their options, variables, labels, and everything that
 * people are told to write into a Compose or configuration file. Fails with the place of each flaw.
 */
const checks: readonly Check[] = [links, files, commands, commandReference, names, configuration];
let flaws = 0;

for await (const path of glob('src/**/*.ts')) await look(path, [mentions]);
for await (const path of glob(['*.md', 'docs/**/*.md', 'testbed/*.md', 'bench/*.md', 'examples/**/*.md']))
  await look(path, checks);

process.stdout.write(`docs: ${flaws} problems\n`);
process.exitCode = flaws > 0 ? 1 : 0;

async function look(path: string, by: readonly Check[]): Promise<void> {
  const text = await readFile(path, 'utf8');
  const page = readPage(path, text);
  for (const check of by) {
    for await (const { at, what } of check(page)) {
      flaws += 1;
      process.stderr.write(`${path}:${text.slice(0, at).split('\n').length}: ${what}\n`);
    }
  }
}
