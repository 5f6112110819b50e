import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleConfig, sampleService } from '../../test/samples/config.ts';
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
