import { execFileSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { availableParallelism, totalmem } from 'node:os';
import { basename, join } from 'node:path';
import { parseArgs } from 'node:util';
import type { Bench } from './bench.ts';

/** npm run bench [-- [--small] [--rounds N] [name…]]: runs the benches of this folder one after the other. */
const folder = join(import.meta.dirname, '..');
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { small: { type: 'boolean', default: false }, rounds: { type: 'string', default: '5' } },
});
const rounds = Number(values.rounds);
const known = (await readdir(folder)).filter((file) => file.endsWith('.ts')).map((file) => basename(file, '.ts'));
const unknown = positionals.filter((name) => !known.includes(name));
if (unknown.length > 0 || !(rounds >= 1)) {
  process.stderr.write(`usage: npm run bench -- [--small] [--rounds N] [${known.join(' | ')}]…\n`);
  process.exit(2);
}

const say = (line: string) => process.stderr.write(`  ${line}\n`);
const given = { isSmall: values.small, rounds, say };
const machine = {
  cores: availableParallelism(),
  memoryBytes: totalmem(),
  node: process.version,
  engine: execFileSync('docker', ['version', '-f', '{{.Server.Version}}'], { encoding: 'utf8' }).trim(),
};
const at = new Date().toISOString().replaceAll(/[-:]|\.\d+/g, '');
const results = join(folder, 'results');
await mkdir(results, { recursive: true });
for (const name of positionals.length > 0 ? positionals : known) {
  const { default: bench } = (await import(join(folder, `${name}.ts`))) as { default: Bench };
  const size = given.isSmall ? ', SMALL: no figures to quote' : '';
  const heading = `${name}: ${bench.title} (${rounds} rounds, ${machine.cores} cores, Engine ${machine.engine}${size})`;
  say(heading);
  const { lines, raw } = await bench.run(given);
  process.stdout.write(`\n${[heading, ...lines].join('\n')}\n`);
  const file = join(results, `${at}-${name}.json`);
  await writeFile(file, `${JSON.stringify({ name, at, ...given, machine, lines, raw }, undefined, 2)}\n`);
  process.stdout.write(`raw rounds: ${file}\n`);
}
