import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleManifest } from '../../test/samples/manifest.ts';
import type { CommandContext } from './command.ts';
import { list } from './list.ts';

/** Runs it over so many backups; what it printed, and what it said. */
async function listed(count: number, target: string | undefined, options: { all?: boolean; json?: boolean } = {}) {
  const printed: string[] = [];
  const said: string[] = [];
  const data: { backups: unknown[] }[] = [];
  const backups = Array.from({ length: count }, () => ({ manifest: sampleManifest(), destinations: ['local'] }));
  const context = {
    operations: { list: async () => ({ backups, problems: [] }) },
    output: {
      json: options.json === true,
      print: (line: string) => printed.push(line),
      say: (line: string) => said.push(line),
      data: (value: { backups: unknown[] }) => data.push(value),
    },
    now: () => new Date(),
  };
  const code = await list(context as unknown as CommandContext, target === undefined ? [] : [target], options);
  return { code, lines: printed.length, said, data };
}

describe('list', () => {
  it('says what to do before the first backup', async () => {
    assert.deepEqual((await listed(0, undefined)).said, ['No backups yet. Make one: lifeboat backup']);
    assert.deepEqual((await listed(0, 'db')).said, ['No backups yet. Make one: lifeboat backup db']);
  });

  it('shows the newest 50, and says how to see the others', async () => {
    assert.deepEqual(await listed(50, undefined), { code: 0, lines: 51, said: [], data: [] });
    const many = await listed(300, undefined);
    assert.equal(many.lines, 51);
    assert.deepEqual(many.said, [
      '250 older backups not shown: lifeboat list --all, or of one service: lifeboat list SERVICE',
    ]);
    assert.deepEqual((await listed(51, 'db')).said, ['1 older backup not shown: lifeboat list db --all']);
    assert.equal((await listed(300, undefined, { all: true })).lines, 301);
  });

  it('leaves nothing out for machines', async () => {
    assert.equal((await listed(300, undefined, { json: true })).data[0]?.backups.length, 300);
  });
});
