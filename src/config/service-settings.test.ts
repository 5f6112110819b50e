import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleConfig, sampleService } from '../../test/samples/config.ts';
import { originText } from './origin.ts';

describe('the settings of the sidecar', () => {
  it('are the defaults when nothing is written', () => {
    const { destinations, ...settings } = sampleConfig().settings;
    assert.deepEqual(destinations, [
      { name: 'local', url: 'file:///backups', scheme: 'file', login: undefined, isRequired: false },
    ]);
    assert.deepEqual(settings, {
      name: undefined,
      timezone: 'UTC',
      discovery: 'project',
      projects: [],
      labelPrefix: 'lifeboat',
      isStrict: false,
      concurrency: 2,
      jitterMs: 600_000,
      runOnStart: false,
      dataDir: '/data',
      logLevel: 'info',
      logFormat: 'text',
      restoreDelayMs: 10_000,
      requireConfirm: false,
      docker: { host: undefined, apiVersion: undefined },
      channels: [],
    });
  });
});

describe('the settings of a service', () => {
  it('are the defaults when nothing is written', () => {
    assert.deepEqual(sampleService({}).settings, {
      isEnabled: true,
      schedule: '@daily',
      to: ['local'],
      timeoutMs: 6 * 3_600_000,
      retries: 2,
      stopTimeoutMs: 30_000,
      notify: [],
      path: 'auto',
      counts: 'auto',
      codec: { name: 'zstd', level: undefined },
    });
  });

  it('resolve "all" and "none" and names in any case', () => {
    const env = { LIFEBOAT_DEST_OFF_SITE_URL: 's3://b', LIFEBOAT_NOTIFY_SLACK_URL: 'https://hooks.example.org/x' };
    const { settings, problems } = sampleService({ 'lifeboat.to': 'OFF_SITE', 'lifeboat.notify': 'none' }, { env });
    assert.deepEqual([settings.to, settings.notify, problems], [['off-site'], [], []]);
    assert.deepEqual(sampleService({}, { env }).settings.to, ['local', 'off-site']);
    assert.deepEqual(sampleService({ 'lifeboat.notify': 'Slack' }, { env }).settings.notify, ['slack']);
  });

  it('may make the whole stack opt-in', () => {
    const env = { LIFEBOAT_ENABLE: 'false' };
    assert.equal(sampleService({}, { env }).settings.isEnabled, false);
    assert.equal(sampleService({ 'lifeboat.enable': 'True' }, { env }).settings.isEnabled, true);
  });

  it('obey another label prefix', () => {
    const env = { LIFEBOAT_LABEL_PREFIX: 'org.example.boat' };
    const labels = { 'org.example.boat.timeout': '1h', 'lifeboat.timeout': '2h' };
    assert.equal(sampleService(labels, { env }).settings.timeoutMs, 3_600_000);
  });
});

describe('engines', () => {
  it('take the options of MySQL under the name of MariaDB too, in every carrier', () => {
    const found = (sample: Parameters<typeof sampleService>) => {
      const { options, isOn, isMentioned, failure } = sampleService(...sample).engineOptions('mysql');
      return [options, isOn, isMentioned, failure];
    };
    assert.deepEqual(found([{ 'lifeboat.mariadb.user': 'saver' }]), [{ user: 'saver' }, 'auto', true, undefined]);
    const yaml = 'services: {db: {mariadb: {user: saver}}}';
    assert.deepEqual(found([{}, { yaml }]), [{ user: 'saver' }, 'auto', true, undefined]);
    const env = { LIFEBOAT_MARIADB_USER: 'saver' };
    assert.deepEqual(found([{}, { env }]), [{ user: 'saver' }, 'auto', false, undefined]);
    assert.equal(found([{ 'lifeboat.mariadb': 'false' }])[1], false);
    const both = sampleService({ 'lifeboat.mariadb.user': 'a', 'lifeboat.mysql.user': 'b' });
    assert.match(both.problems[0]?.message ?? '', /set the same thing/);
  });

  it('get their options parsed by their own schema', () => {
    const labels = { 'lifeboat.postgres.databases': 'shop, blog', 'lifeboat.postgres.port': '5433' };
    const { options, isOn, isMentioned } = sampleService(labels).engineOptions('postgres');
    assert.deepEqual([options, isOn, isMentioned], [{ databases: ['shop', 'blog'], port: 5433 }, 'auto', true]);
    const plain = sampleService({
      'lifeboat.postgres.small': 'Yes',
      'lifeboat.postgres.modes': 'Fast',
    });
    assert.deepEqual(plain.engineOptions('postgres').options, {
      databases: ['*'],
      small: true,
      modes: ['fast'],
    });
    const wrong = { small: '2', modes: 'slow', port: '1.5', user: 'a\0b' };
    for (const [name, value] of Object.entries(wrong)) {
      assert.ok(sampleService({ [`lifeboat.postgres.${name}`]: value }).engineOptions('postgres').failure, name);
    }
    const command = sampleService({
      'lifeboat.command': 'pg_x | y',
      'lifeboat.command.verbose': 'yes',
    }).engineOptions('command');
    assert.deepEqual([command.options, command.isOn], [{ dump: 'pg_x | y', verbose: true, patience: 60_000 }, true]);
  });

  it('are switched by their bare name', () => {
    const isOn = (labels: Record<string, string>, engine: string) => sampleService(labels).engineOptions(engine).isOn;
    assert.equal(isOn({}, 'postgres'), 'auto');
    assert.equal(isOn({ 'lifeboat.postgres': 'auto' }, 'postgres'), 'auto');
    assert.equal(isOn({ 'lifeboat.postgres': 'true' }, 'postgres'), true);
    assert.equal(isOn({ 'lifeboat.postgres.enable': 'off' }, 'postgres'), false);
    assert.equal(isOn({ 'lifeboat.mariadb': '0' }, 'mysql'), false);
    assert.equal(isOn({ 'lifeboat.sqlite': '/data/*.db' }, 'sqlite'), true);
    assert.equal(isOn({ 'lifeboat.sqlite.paths': '/data/*.db' }, 'sqlite'), true);
    assert.equal(isOn({ 'lifeboat.sqlite': 'false', 'lifeboat.sqlite.paths': '/data/*.db' }, 'sqlite'), false);
  });

  it('hold nothing when an option of theirs is missing or wrong', () => {
    const missing = sampleService({ 'lifeboat.timeout': '1h', 'lifeboat.command': 'true' });
    const { failure } = missing.engineOptions('command');
    assert.deepEqual([failure?.severity, failure?.source, failure?.key], ['error', 'command', 'command.dump']);
    assert.equal(failure && originText(failure.origin), 'label lifeboat.command on service db');
    assert.equal(missing.engineOptions('command').options, undefined);
    assert.match(missing.engineOptions('command').failure?.message ?? '', /^option command\.dump must be set$/);
    const wrong = sampleService({ 'lifeboat.postgres.port': '0', 'lifeboat.postgres.user': 'x' });
    assert.equal(wrong.engineOptions('postgres').options, undefined);
    assert.equal(wrong.engineOptions('mysql').failure, undefined);
  });

  it('inherit defaults of the sidecar', () => {
    const choice = sampleService({}, { env: { LIFEBOAT_POSTGRES_USER: 'admin' } });
    assert.deepEqual(choice.engineOptions('postgres').options, { user: 'admin', databases: ['*'] });
    assert.equal(choice.engineOptions('postgres').isMentioned, false);
  });

  it('that nobody registered are a fault of ours', () => {
    assert.throws(() => sampleService({}).engineOptions('oracle'), { code: 'INTERNAL' });
  });
});

describe('extra sources', () => {
  const labels = {
    'lifeboat.schedule': '@weekly',
    'lifeboat.command': 'own dump',
    'lifeboat.command.restore': 'own restore',
    'lifeboat.source.invoices.command': 'print invoices',
    'lifeboat.source.invoices.timeout': '1h',
    'lifeboat.source.reports.postgres.databases': 'reports',
  };

  it('have keys of their own and inherit those of their service, but no options of its engines', () => {
    const { extras, problems } = sampleService(labels);
    assert.deepEqual(problems, []);
    const [invoices, reports] = extras;
    assert.deepEqual([invoices?.name, invoices?.engineName, reports?.engineName], ['invoices', 'command', 'postgres']);
    assert.deepEqual([invoices?.settings.schedule, invoices?.settings.timeoutMs], ['@weekly', 3_600_000]);
    assert.deepEqual(invoices?.engineOptions('command').options, {
      dump: 'print invoices',
      verbose: false,
      patience: 60_000,
    });
    assert.deepEqual(reports?.engineOptions('postgres').options, { databases: ['reports'] });
  });

  it('can be written in the file, which beats labels', () => {
    const yaml = 'services: {db: {source: {invoices: {command: {dump: other}}}}}';
    const extra = sampleService(labels, { yaml }).extras[0];
    assert.deepEqual(extra?.engineOptions('command').options, { dump: 'other', verbose: false, patience: 60_000 });
  });

  it('fail alone', () => {
    const choice = sampleService({
      'lifeboat.source.a.schedule': '@daily',
      'lifeboat.source.b.command': 'x',
      'lifeboat.source.b.sqlite': '/y',
      'lifeboat.source.c.postgres.port': 'x',
      'lifeboat.source.d.command': 'x',
    });
    const failures = choice.extras.map(
      ({ engineName, engineOptions }) => engineOptions(engineName ?? '').failure?.message,
    );
    assert.match(failures[0] ?? '', /a does not say what to save/);
    const unclear = choice.extras[0]?.engineOptions('').failure;
    assert.deepEqual([unclear?.severity, unclear?.service, unclear?.source], ['error', 'db', 'a']);
    assert.equal(unclear && originText(unclear.origin), 'label lifeboat.source.a.schedule on service db');
    assert.match(failures[1] ?? '', /b names several engines: sqlite, command/);
    assert.match(failures[2] ?? '', /"x" is not a valid integer/);
    assert.equal(failures[3], undefined);
    assert.equal(choice.engineOptions('postgres').failure, undefined);
  });

  it('cannot take the name of an engine or one that is no name', () => {
    for (const name of ['postgres', 'mariadb', 'A', 'a b', '', '../x', 'x'.repeat(64)]) {
      const { extras, problems, engineOptions } = sampleService({ [`lifeboat.source.${name}.command`]: 'x' });
      assert.equal(engineOptions('postgres').failure, undefined);
      assert.deepEqual([extras.length, problems.length, problems[0]?.effect], [0, 1, 'source-disabled'], name);
      assert.equal(problems[0]?.severity, 'error');
    }
  });
});
