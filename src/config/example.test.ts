import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleConfig, sampleEngines } from '../../test/samples/config.ts';
import { configExample } from './example.ts';
import { serviceSettings } from './service-settings.ts';
import { createVocabulary } from './vocabulary.ts';

const vocabulary = createVocabulary(sampleEngines);
const everyEntry = [vocabulary.stack, vocabulary.service, vocabulary.destination].flatMap((entries) => [
  ...entries.values(),
]);
const secretFiles = Object.fromEntries(
  everyEntry
    .filter(({ kind }) => kind === 'secret')
    .map(({ key }) => [
      `/run/secrets/${key.replace(/[.-]/g, '_')}`,
      key.endsWith('.secret') ? 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3' : 'https://example.org/a-long-secret',
    ]),
);

describe('config example', () => {
  const example = configExample(vocabulary);

  it('is a valid configuration as it is', () => {
    const config = sampleConfig({ yaml: example, isBare: true });
    assert.deepEqual(config.problems, []);
    assert.deepEqual(
      config.settings.destinations.map(({ name, url }) => [name, url]),
      [['local', 'file:///backups']],
    );
    assert.ok(example.includes('\n#    url: "s3://bucket/'));
    assert.ok(example.split('\n').every((line) => line.length < 125));
  });

  it('is valid with every comment sign before a key taken away, and then names every key', () => {
    const whole = example.replace(/^#((?: {2})*[a-z][\w-]*:)/gm, '$1');
    assert.ok(!/^#(?: {2})*[a-z][\w-]*:/m.test(whole));
    const config = sampleConfig({ yaml: whole, files: secretFiles, isBare: true });
    const choice = serviceSettings({ service: 'db', labels: {} }, config);
    assert.deepEqual(
      [...config.problems, ...choice.problems].map(({ message }) => message),
      ['key projects is set, but without discovery: projects it does nothing'],
    );
    assert.deepEqual([...config.rows.stack.keys()].sort(), [...vocabulary.stack.keys()].sort());
    assert.deepEqual(
      [...(config.rows.destinations.get('offsite')?.keys() ?? [])].sort(),
      [...vocabulary.destination.keys()].sort(),
    );
    assert.deepEqual([...choice.rows.keys()].sort(), [...vocabulary.service.keys()].sort());
  });

  it('shows the defaults', () => {
    const whole = example.replace(/^#((?: {2})*[a-z][\w-]*:)/gm, '$1');
    const { settings } = sampleConfig({ yaml: whole, files: secretFiles, isBare: true });
    const standard = sampleConfig().settings;
    for (const key of [
      'timezone',
      'discovery',
      'labelPrefix',
      'isStrict',
      'concurrency',
      'jitterMs',
      'dataDir',
      'restoreDelayMs',
    ] as const) {
      assert.deepEqual(settings[key], standard[key]);
    }
  });
});
