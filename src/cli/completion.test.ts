import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { completion } from './completion.ts';
import { entries, globalOptions } from './entries.ts';
import type { Output } from './output.ts';

async function script(shell: string): Promise<string> {
  let text = '';
  const output = { print: (line: string) => (text += line) } as unknown as Output;
  assert.equal(await completion({ output } as Parameters<typeof completion>[0], [shell], {}), 0);
  return text;
}

test('bash can source it, and completes commands, their options and known values', async () => {
  const sourced = await script('bash');
  const complete = (...words: string[]) => {
    const ask = `COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _lifeboat; echo "\${COMPREPLY[@]}"`;
    const run = execFileSync('bash', ['-euc', `${sourced}\n${ask}`, 'bash', 'lifeboat', ...words], {
      encoding: 'utf8',
    });
    return run.trim().split(' ');
  };
  assert.deepEqual(complete('rest'), ['restore']);
  assert.deepEqual(complete('config', 'ch'), ['check']);
  assert.deepEqual(complete('config', 'check', '--format', ''), ['text', 'github']);
  assert.deepEqual(complete('restore', 'db', '--no-sa'), ['--no-safety-backup']);
  assert.deepEqual(complete('-q', 'restore', 'config', '--pro'), ['--progress']);
  const visible = entries.filter(({ hidden }) => !hidden);
  const all = complete('');
  for (const { name } of visible) assert.ok(all.includes(name), name);
});

test('zsh and fish get every command and option', async () => {
  const zsh = await script('zsh');
  const fish = await script('fish');
  for (const { name, summary, hidden } of entries) {
    if (hidden) continue;
    assert.ok(zsh.includes(`'${name}:${summary}'`), name);
    assert.ok(fish.includes(`'${name}`) && fish.includes(`-d '${summary}'`), name);
  }
  for (const { long = '' } of globalOptions) {
    assert.ok(zsh.includes(`'${long}:`), long);
    assert.ok(fish.includes(` -l ${long.slice(2)} `), long);
  }
});

test('no text of ours would end the quotes it stands in', () => {
  const texts = entries.flatMap(({ summary, options = [], commands = [] }) => [
    summary,
    ...[...options, ...commands.flatMap((each) => each.options ?? [])].map(({ description }) => description),
  ]);
  for (const text of texts) assert.ok(!text.includes("'"), text);
});
