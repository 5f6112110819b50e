import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleConfig, sampleService } from './fixtures.ts';
import { originText } from './origin.ts';

/** Every carrier of a key of a service, the strongest first. */
const carriers = ['services', 'label', 'environment', 'defaults'] as const;
type Carrier = (typeof carriers)[number];

const origins: Readonly<Record<Carrier | 'default', string>> = {
  services: 'config.yaml:2',
  label: 'label lifeboat.timeout on service db',
  environment: 'LIFEBOAT_TIMEOUT',
  defaults: 'config.yaml:1',
  default: 'default',
};

function resolve(values: Partial<Record<Carrier, string>>) {
  const choice = sampleService(values.label === undefined ? {} : { 'lifeboat.timeout': values.label }, {
    env: values.environment === undefined ? {} : { LIFEBOAT_TIMEOUT: values.environment },
    yaml: [
      values.defaults === undefined ? '' : `defaults: {timeout: ${values.defaults}}`,
      values.services === undefined ? '' : `services: {db: {timeout: ${values.services}}}`,
    ].join('\n'),
  });
  const origin = choice.rows.get('timeout')?.origin ?? ({ from: 'default' } as const);
  return { hours: choice.settings.timeoutMs / 3_600_000, origin: originText(origin), problems: choice.problems };
}

describe('precedence', () => {
  const valid: Readonly<Record<Carrier, string>> = { services: '1h', label: '2h', environment: '3h', defaults: '4h' };
  const hours: Readonly<Record<Carrier, number>> = { services: 1, label: 2, environment: 3, defaults: 4 };

  for (let set = 0; set < 2 ** carriers.length; set++) {
    const present = carriers.filter((_, i) => set & (1 << i));
    it(`of ${present.join(', ') || 'nothing'} goes to ${present[0] ?? 'the default'}`, () => {
      const found = resolve(Object.fromEntries(present.map((carrier) => [carrier, valid[carrier]])));
      assert.equal(found.hours, present[0] === undefined ? 6 : hours[present[0]]);
      assert.equal(found.origin, origins[present[0] ?? 'default']);
      assert.deepEqual(found.problems, []);
    });
  }

  it('falls from an invalid value of a service to the stack default, not to the weaker carrier', () => {
    const found = resolve({ services: '7dd', label: '2h', environment: '3h', defaults: '4h' });
    assert.equal(found.hours, 3);
    assert.deepEqual(
      found.problems.map(({ severity, effect }) => [severity, effect]),
      [['error', 'default-used']],
    );
    assert.equal(resolve({ label: '7dd' }).hours, 6);
  });

  it('falls from an invalid variable to the built-in default', () => {
    const config = sampleConfig({
      env: { LIFEBOAT_CONCURRENCY: 'many', LIFEBOAT_TIMEOUT: 'x' },
      yaml: 'concurrency: 7\ndefaults: {timeout: 4h}',
    });
    assert.equal(config.settings.concurrency, 2);
    assert.equal(config.rows.defaults.get('timeout'), undefined);
    assert.deepEqual(
      config.problems.map(({ effect }) => effect),
      ['default-used', 'default-used'],
    );
  });

  it('lets a variable beat the file for keys of the sidecar', () => {
    const yaml = 'concurrency: 7\njitter: 1m\nlog-level: debug';
    const { settings, rows } = sampleConfig({ env: { LIFEBOAT_CONCURRENCY: '3', LIFEBOAT_JITTER: '' }, yaml });
    assert.deepEqual([settings.concurrency, settings.jitterMs, settings.logLevel], [3, 60_000, 'debug']);
    assert.deepEqual(
      ['concurrency', 'jitter', 'timezone']
        .map((key) => rows.stack.get(key))
        .map((row) => row && originText(row.origin)),
      ['LIFEBOAT_CONCURRENCY', 'config.yaml:2', undefined],
    );
  });

  it('puts the de-facto variables below ours and above the file', () => {
    const zone = (env: Record<string, string>) => sampleConfig({ env, yaml: 'timezone: Asia/Tokyo' }).settings.timezone;
    assert.equal(zone({}), 'Asia/Tokyo');
    assert.equal(zone({ TZ: 'Europe/Vienna' }), 'Europe/Vienna');
    assert.equal(zone({ TZ: 'Europe/Vienna', LIFEBOAT_TIMEZONE: 'America/Lima' }), 'America/Lima');
    assert.equal(sampleConfig({ env: { DOCKER_HOST: 'tcp://proxy:2375' } }).settings.docker.host, 'tcp://proxy:2375');
  });

  it('makes one thing of every way to write a key', () => {
    const ways = [
      sampleService({ 'lifeboat.codec': 'gzip', 'lifeboat.codec.level': '4', 'lifeboat.mysql.user': 'root' }),
      sampleService({ 'lifeboat.codec.name': 'gzip', 'lifeboat.codec.level': '4', 'lifeboat.mariadb.user': 'root' }),
      sampleService({}, { env: { LIFEBOAT_CODEC: 'gzip', LIFEBOAT_CODEC_LEVEL: '4', LIFEBOAT_MARIADB_USER: 'root' } }),
      sampleService({}, { yaml: 'defaults:\n  codec: {name: gzip, level: 4}\n  mysql: {user: root}' }),
      sampleService(
        {},
        { yaml: 'services:\n  db:\n    codec: gzip\n    codec.level: "4"\n    mariadb:\n      user: root' },
      ),
      sampleService(
        {},
        { yaml: 'x-base: &base {codec: {name: gzip, level: 4}}\nservices: {db: {<<: *base, mysql.user: root}}' },
      ),
    ];
    for (const way of ways) {
      assert.deepEqual(way.problems, []);
      assert.deepEqual(way.settings.codec, { name: 'gzip', level: 4 });
      assert.deepEqual(way.engineOptions('mysql').options, { user: 'root' });
    }
  });

  it('keeps a level from above away from another codec, without a word', () => {
    const env = { LIFEBOAT_CODEC_LEVEL: '15' };
    const choice = sampleService({ 'lifeboat.codec': 'gzip' }, { env });
    assert.deepEqual([choice.settings.codec, choice.problems], [{ name: 'gzip', level: undefined }, []]);
    assert.deepEqual(sampleService({}, { env }).settings.codec, { name: 'zstd', level: 15 });
    const level = (codec: string, of: string) =>
      sampleService({ 'lifeboat.codec': codec, 'lifeboat.codec.level': of }).settings.codec.level;
    assert.deepEqual(
      [level('gzip', '9'), level('gzip', '10'), level('zstd', '19'), level('none', '1')],
      [9, undefined, 19, undefined],
    );
    const beside = sampleService({ 'lifeboat.codec': 'gzip', 'lifeboat.codec.level': '15' });
    assert.equal(beside.settings.codec.level, undefined);
    assert.match(beside.problems[0]?.message ?? '', /gzip has the levels 1 to 9, not 15/);
  });
});

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
      stopTimeoutMs: 30_000,
      notify: [],
      tags: [],
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
  it('get their options parsed by their own schema, whatever types it has', () => {
    const labels = { 'lifeboat.postgres.databases': 'shop, blog', 'lifeboat.postgres.port': '5433' };
    const { options, isOn, isMentioned } = sampleService(labels).engineOptions('postgres');
    assert.deepEqual([options, isOn, isMentioned], [{ databases: ['shop', 'blog'], port: 5433 }, 'auto', true]);
    const plain = sampleService({
      'lifeboat.postgres.is-small': 'Yes',
      'lifeboat.postgres.ratio': '0.5',
      'lifeboat.postgres.modes': 'Fast',
    });
    assert.deepEqual(plain.engineOptions('postgres').options, {
      databases: ['*'],
      isSmall: true,
      ratio: 0.5,
      modes: ['fast'],
    });
    const wrong = { 'is-small': '2', ratio: 'half', modes: 'slow', port: '1.5', user: 'a\0b' };
    for (const [name, value] of Object.entries(wrong)) {
      assert.ok(sampleService({ [`lifeboat.postgres.${name}`]: value }).engineOptions('postgres').failure, name);
    }
    const command = sampleService({
      'lifeboat.command': 'pg_x | y',
      'lifeboat.command.is-verbose': 'yes',
    }).engineOptions('command');
    assert.deepEqual([command.options, command.isOn], [{ dump: 'pg_x | y', isVerbose: true, patience: 60_000 }, true]);
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
      isVerbose: false,
      patience: 60_000,
    });
    assert.deepEqual(reports?.engineOptions('postgres').options, { databases: ['reports'] });
  });

  it('can be written in the file, which beats labels', () => {
    const yaml = 'services: {db: {source: {invoices: {command: {dump: other}}}}}';
    const extra = sampleService(labels, { yaml }).extras[0];
    assert.deepEqual(extra?.engineOptions('command').options, { dump: 'other', isVerbose: false, patience: 60_000 });
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
    for (const name of ['postgres', 'mariadb', 'files', 'A', 'a b', '', '../x', 'x'.repeat(64)]) {
      const { extras, problems, engineOptions } = sampleService({ [`lifeboat.source.${name}.command`]: 'x' });
      assert.equal(engineOptions('postgres').failure, undefined);
      assert.deepEqual([extras.length, problems.length, problems[0]?.effect], [0, 1, 'source-disabled'], name);
      assert.equal(problems[0]?.severity, 'error');
    }
  });
});
