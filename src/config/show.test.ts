import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { sampleConfig, sampleService } from '../../test/samples/config.ts';
import { shownValues, showText } from './show.ts';

describe('config show', () => {
  const env = {
    LIFEBOAT_SCHEDULE: '@hourly',
    LIFEBOAT_NOTIFY_SLACK_URL_FILE: '/run/secrets/slack',
    TZ: 'Europe/Vienna',
  };
  const sample = {
    env,
    yaml: 'concurrency: 4\nservices: {db: {timeout: 1h}}',
    files: { '/run/secrets/slack': 'https://hooks.example.org/abcdefgh\n' },
  };
  const choice = sampleService({ 'lifeboat.postgres.user': 'a\nb', 'lifeboat.source.x.command': 'y' }, sample);
  const values = shownValues(sampleConfig(sample), [choice]);
  const find = (group: string, key: string) => {
    const found = values.find((each) => each.group === group && each.key === key);
    return found && [found.value, found.origin];
  };

  it('tells each value and where it comes from', () => {
    assert.deepEqual(find('sidecar', 'timezone'), ['Europe/Vienna', 'TZ']);
    assert.deepEqual(find('sidecar', 'concurrency'), ['4', 'config.yaml:1']);
    assert.deepEqual(find('sidecar', 'jitter'), ['10m', 'default']);
    assert.deepEqual(find('sidecar', 'name'), [undefined, 'default']);
    assert.deepEqual(find('destination local', 'url'), ['file:///backups', 'LIFEBOAT_DEST_LOCAL_URL']);
    assert.deepEqual(find('defaults', 'schedule'), ['@hourly', 'LIFEBOAT_SCHEDULE']);
    assert.deepEqual(find('service db', 'schedule'), ['@hourly', 'LIFEBOAT_SCHEDULE']);
    assert.deepEqual(find('service db', 'timeout'), ['1h', 'config.yaml:2']);
    assert.deepEqual(find('service db', 'postgres.user'), ['a\\u000ab', 'label lifeboat.postgres.user on service db']);
    assert.deepEqual(find('source db/x', 'command.dump'), ['y', 'label lifeboat.source.x.command on service db']);
    assert.equal(find('service db', 'sqlite.paths'), undefined);
  });

  it('shows of a secret its length and its file only', () => {
    const text = showText(values, true);
    assert.ok(text.includes('•••• (34 characters, from /run/secrets/slack)'), text);
    assert.ok(!text.includes('abcdefgh'));
    assert.ok(!JSON.stringify(values).includes('abcdefgh'));
  });

  it('hides a login in an address', () => {
    const config = sampleConfig({ env: { DOCKER_HOST: 'tcp://me:hunter2@proxy:2375' } });
    const found = shownValues(config, []).find(({ key }) => key === 'docker.host');
    assert.equal(found?.value, 'tcp://[redacted]@proxy:2375');
  });

  it('is one line per value, in groups', () => {
    const lines = showText(values, false).split('\n');
    assert.equal(lines[0], 'sidecar');
    assert.ok(lines.some((line) => /^ {2}concurrency +4$/.test(line)));
    assert.equal(lines.filter((line) => line.startsWith('  ')).length, values.length);
    assert.equal(stripVTControlCharacters(lines.join()), lines.join());
  });
});
