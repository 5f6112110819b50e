import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleConfig, sampleService } from '../../test/samples/config.ts';
import { problemText } from './problems.ts';
import { serviceSettings } from './service-settings.ts';

/** One line per problem of the service `db`: what it does, to which source, and what it says. */
function told(labels: Readonly<Record<string, string>>): readonly string[] {
  return sampleService(labels).problems.map(
    ({ effect, source, message }) => `${effect} (${source ?? 'all'}): ${message}`,
  );
}

describe('a hostile neighbour', () => {
  it('cannot change the sidecar, another container or a destination (fault 91)', () => {
    const attempts: Readonly<Record<string, string>> = {
      'lifeboat.concurrency': '64',
      'lifeboat.strict': 'true',
      'lifeboat.data-dir': '/etc',
      'lifeboat.discovery': 'host',
      'lifeboat.label-prefix': 'evil',
      'lifeboat.docker.host': 'tcp://evil:2375',
      'lifeboat.notify.slack.url': 'https://evil.example.org/x',
      'lifeboat.notify.on': 'success',
      'lifeboat.dest.evil.url': 's3://evil',
      'lifeboat.dest.local.url': 'file:///etc',
      'lifeboat.config': '/evil.yaml',
      'lifeboat.restore-delay': '0',
      'lifeboat.require-confirm': 'false',
      'lifeboat.source.x.concurrency': '9',
    };
    const config = sampleConfig();
    const before = JSON.stringify(config.settings);
    const choice = serviceSettings({ service: 'db', labels: attempts }, config);
    assert.equal(JSON.stringify(config.settings), before);
    const refused = choice.problems.filter(({ message }) =>
      message.endsWith('is a setting of the sidecar, which no label can change'),
    );
    assert.equal(refused.length, Object.keys(attempts).length);
    assert.ok(choice.problems.every(({ severity }) => severity === 'error'));
    for (const problem of choice.problems)
      assert.ok(!/evil[.:]|tcp:|\/etc/.test(problem.message.replace(/label \S+/, '')), problem.message);
    assert.deepEqual(choice.settings, serviceSettings({ service: 'db', labels: {} }, config).settings);
    assert.deepEqual(serviceSettings({ service: 'other', labels: {} }, config).problems, []);
  });

  it('configures nothing by what its image brings (fault 92)', () => {
    const config = sampleConfig();
    const imageLabels = { 'lifeboat.enable': 'false', 'lifeboat.command': 'evil', 'org.example': 'x' };
    const choice = serviceSettings({ service: 'db', labels: { 'lifeboat.schedule': '@hourly' }, imageLabels }, config);
    assert.deepEqual(
      [choice.settings.isEnabled, choice.settings.schedule, choice.engineOptions('command').isMentioned],
      [true, '@hourly', false],
    );
    assert.deepEqual(
      choice.problems.map(({ effect, message }) => `${effect}: ${message}`),
      ['enable', 'command'].map(
        (key) => `ignored: label lifeboat.${key} on service db comes from its image, which configures nothing here`,
      ),
    );
  });

  it('cannot write under a service of another name', () => {
    const problems = told({
      'lifeboat.services.web.enable': 'false',
      'lifeboat.web.enable': 'false',
      'lifeboat.defaults.enable': 'no',
    });
    assert.ok(problems.every((problem) => problem.startsWith('ignored (all): unknown label')));
    assert.equal(problems.length, 3);
  });

  it('gets its text to no shell and onto no terminal (fault 90)', () => {
    const payloads = [
      ';rm -rf /',
      '$(reboot)',
      '`id`',
      'a\nb',
      'a\0b',
      'a\u001b[2Jb',
      '\u202egnp.exe',
      'x'.repeat(2 ** 20),
      '密码🔑\ud800',
      '{{constructor.constructor("x")()}}',
      "' OR 1=1 --",
      '__proto__',
    ];
    const keys = [
      'enable',
      'schedule',
      'timeout',
      'to',
      'path',
      'codec',
      'codec.level',
      'notify',
      'postgres',
      'postgres.port',
      'postgres.user',
      'command',
      'sqlite.paths',
    ];
    for (const payload of payloads) {
      for (const key of keys) {
        const choice = sampleService({ [`lifeboat.${key}`]: payload });
        assertHarmless(choice.problems.map(problemText));
        assert.ok(JSON.stringify(choice.problems).length < 4000);
        for (const engine of ['postgres', 'command', 'sqlite']) {
          const text = JSON.stringify(choice.engineOptions(engine).options ?? {});
          assert.ok(!/\\u0000|\\u001b/.test(text) && text.length < 70_000, text.slice(0, 200));
        }
      }
      const choice = sampleService({
        [`lifeboat.${payload}`]: 'x',
        [`lifeboat.source.${payload}.command`]: 'x',
        [payload]: 'x',
      });
      assertHarmless(choice.problems.map(problemText));
      assert.ok(JSON.stringify(choice.problems).length < 8000);
      assert.ok(choice.extras.every(({ name }) => /^[a-z0-9_-]+$/.test(name)));
    }
  });

  it('cannot reach the prototypes of our objects', () => {
    const labels = JSON.parse(
      '{"lifeboat.__proto__": "x", "lifeboat.constructor": "x", "lifeboat.source.__proto__.command": "x", "lifeboat.source.constructor.command": "x", "lifeboat.postgres.__proto__": "x", "lifeboat.toString": "x", "__proto__": "x", "lifeboat.codec.__proto__": "x"}',
    );
    const choice = sampleService(labels);
    assert.deepEqual(choice.settings, sampleService({}).settings);
    assert.deepEqual(
      choice.extras.map(({ name }) => name),
      ['constructor'],
    );
    assert.equal(choice.problems.length, 6);
    assert.deepEqual(choice.engineOptions('postgres').options, { databases: ['*'] });
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.equal(Object.keys(Object.prototype).length, 0);
  });

  it('with ten thousand labels costs no more than a moment', () => {
    const labels = Object.fromEntries(Array.from({ length: 10_000 }, (_, i) => [`lifeboat.x${i}`, 'y']));
    const started = performance.now();
    assert.equal(sampleService(labels).problems.length, 10_000);
    assert.ok(performance.now() - started < 20_000);
  });
});

function assertHarmless(lines: readonly string[]): void {
  for (const line of lines) {
    assert.ok(line.length < 1500, `${line.length} characters: ${line.slice(0, 300)}`);
    assert.ok(!/[^\P{C}\n]/u.test(line), JSON.stringify(line));
    // The three lines of the message itself; none is added by the value.
    assert.ok(line.split('\n').length <= 3, line);
  }
}
