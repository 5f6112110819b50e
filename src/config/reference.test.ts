import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { sampleEngines } from '../../test/samples/config.ts';
import { planned } from './available.ts';
import { variableOf } from './key.ts';
import { anchorOf } from './problems.ts';
import { referenceMarkdown } from './reference.ts';
import { createVocabulary } from './vocabulary.ts';

const vocabulary = createVocabulary(sampleEngines);
const everyEntry = [vocabulary.stack, vocabulary.service, vocabulary.destination].flatMap((entries) => [
  ...entries.values(),
]);

describe('the reference', () => {
  const page = referenceMarkdown(vocabulary);

  it('has a line with anchor, variable and meaning for every key', () => {
    for (const { key, level, schema } of everyEntry) {
      const line = page.split('\n').find((each) => each.startsWith(`| <a id="${anchorOf(key)}"></a>`));
      assert.ok(line, key);
      const variable = level === 'destination' ? variableOf(`dest.<name>.${key}`) : variableOf(key);
      assert.ok(line.includes(`\`${variable}\``), variable);
      if (schema instanceof z.ZodType && schema.description) assert.ok(line.includes(schema.description), key);
    }
  });

  it('says in a line what may be written and what holds otherwise', () => {
    const cells = (key: string) =>
      page
        .split('\n')
        .find((each) => each.startsWith(`| <a id="${key}"></a>`))
        ?.split(' | ')
        .slice(2, 5);
    assert.deepEqual(cells('to'), ['`list` of `name`', '`all`', 'tunes']);
    assert.deepEqual(cells('projects'), ['`list` of `name`', 'unset', 'data']);
    assert.deepEqual(cells('timeout'), ['`duration`, at least 1s', '`6h`', 'tunes']);
    assert.deepEqual(cells('codec'), ['`zstd`, `gzip`, `none`', '`zstd`', 'tunes']);
    assert.deepEqual(cells('concurrency'), ['whole numbers from 1 to 64', '`2`', 'tunes']);
    assert.deepEqual(cells('postgres'), ['`switch`', 'unset', 'data']);
    assert.deepEqual(cells('postgres-databases'), ['`list`', '`*`', 'data']);
    assert.deepEqual(cells('notify-slack-url'), ['a secret', 'unset', 'data']);
    assert.deepEqual(cells('notify-slack-on'), [
      '`list` of failure, recovered, config-problem, success',
      'unset',
      'tunes',
    ]);
  });

  it('tells the short ways to write an engine', () => {
    assert.ok(page.includes('Also written `lifeboat.mariadb`.'));
    assert.ok(page.includes('written as `lifeboat.sqlite`, sets `lifeboat.sqlite.paths` and switches the engine on.'));
  });

  it('has no anchor twice and names what is planned', () => {
    const anchors = [...page.matchAll(/<a id="([^"]+)">/g)].map(([, id]) => id);
    assert.equal(new Set(anchors).size, anchors.length);
    for (const key of planned.keys()) assert.ok(page.includes(`\`${key}\``), key);
  });

  it('is one table row per key, whatever stands in it', () => {
    for (const line of page.split('\n').filter((each) => each.startsWith('| <a'))) {
      assert.equal(line.replaceAll('\\|', '').split('|').length, 8, line);
    }
  });
});
