import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleConfig, sampleService } from '../../test/samples/config.ts';
import { originText } from './origin.ts';
import { strangers } from './service-settings.ts';
import { yamlEntries } from './yaml-entries.ts';

const complete = `
# every part of the file
x-anchor: &often
  schedule: "@hourly"
name: shop
timezone: Europe/Vienna
discovery: projects
projects: [shop, blog]
strict: no
concurrency: 4
run-on-start: Yes
notify:
  on: [failure, success]
  slack: {url-file: /run/secrets/slack, on: failure}
  webhook:
    url: https://example.org/hook
    secret: MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3
docker: {host: "unix:///x.sock"}
dest:
  Off_Site:
    url: s3://bucket/prefix
    access-key-id: AKIA
    secret-access-key-file: /run/secrets/s3
    required: true
defaults:
  <<: *often
  timeout: 2h
  stop.timeout: 1m
  notify: [slack, "webhook"]
services:
  db:
    timeout: 3h
    postgres: {user: admin, databases: [shop, "x,y"]}
  my.dotted-service:
    enable: off
`;

describe('the configuration file', () => {
  it('says everything', () => {
    const files = { '/run/secrets/slack': 'https://hooks.example.org/x\n', '/run/secrets/s3': 's3 secret\n' };
    const config = sampleConfig({ yaml: complete, files });
    assert.deepEqual(config.problems, []);
    const { settings } = config;
    assert.deepEqual(
      [
        settings.name,
        settings.timezone,
        settings.discovery,
        settings.projects,
        settings.isStrict,
        settings.concurrency,
        settings.runOnStart,
      ],
      ['shop', 'Europe/Vienna', 'projects', ['shop', 'blog'], false, 4, true],
    );
    assert.deepEqual(
      settings.channels.map(({ name, url, on }) => [name, url.reveal(), on]),
      [
        ['slack', 'https://hooks.example.org/x', ['failure']],
        ['webhook', 'https://example.org/hook', ['failure', 'success']],
      ],
    );
    const offSite = settings.destinations.find(({ name }) => name === 'off-site');
    assert.deepEqual(
      [offSite?.url, offSite?.login?.secretAccessKey.reveal(), offSite?.isRequired],
      ['s3://bucket/prefix', 's3 secret', true],
    );
    const db = sampleService({ 'lifeboat.timeout': '9h' }, { yaml: complete, files });
    assert.deepEqual(db.problems, []);
    assert.deepEqual(
      [db.settings.schedule, db.settings.timeoutMs / 3_600_000, db.settings.stopTimeoutMs, db.settings.notify],
      ['@hourly', 3, 60_000, ['slack', 'webhook']],
    );
    assert.deepEqual(db.engineOptions('postgres').options, { user: 'admin', databases: ['shop', 'x,y'] });
  });

  it('says where each value stands', () => {
    const { rows } = sampleConfig({ yaml: complete, files: { '/run/secrets/slack': 'x', '/run/secrets/s3': 'x' } });
    const lineOf = (start: string) => complete.split('\n').findIndex((line) => line.startsWith(start)) + 1;
    assert.equal(originText(rows.stack.get('name')?.origin ?? assert.fail()), `config.yaml:${lineOf('name:')}`);
    assert.equal(
      originText(rows.defaults.get('timeout')?.origin ?? assert.fail()),
      `config.yaml:${lineOf('  timeout: 2h')}`,
    );
    // Of a merged value the place where it was written.
    assert.equal(
      originText(rows.defaults.get('schedule')?.origin ?? assert.fail()),
      `config.yaml:${lineOf('  schedule:')}`,
    );
  });

  it('may be missing at its usual place, but not where somebody says it is', () => {
    assert.deepEqual(sampleConfig().problems, []);
    const [problem] = sampleConfig({ env: { LIFEBOAT_CONFIG: '/elsewhere.yaml' } }).problems;
    assert.equal(problem?.effect, 'cannot-start');
    assert.match(problem?.message ?? '', /^cannot read \/elsewhere\.yaml: there is no such file/);
    assert.equal(
      sampleConfig({ env: { LIFEBOAT_CONFIG: '/x.yaml' }, files: { '/x.yaml': 'name: shop' } }).settings.name,
      'shop',
    );
    const folder = sampleConfig({ files: { '/etc/lifeboat/config.yaml': { content: '', kind: 'folder' } } });
    assert.equal(folder.problems[0]?.effect, 'cannot-start');
    assert.equal(folder.problems[0]?.severity, 'error');
    const unreadable = sampleConfig({
      files: { '/etc/lifeboat/config.yaml': { content: '', code: 'EACCES', mode: 0o600 } },
    });
    assert.match(unreadable.problems[0]?.message ?? '', /permission denied; we are uid 1000/);
  });

  it('may be empty or hold nothing but empty groups', () => {
    for (const yaml of [
      '',
      '# nothing',
      '---',
      'defaults:\nservices:\n  db:\ndest:\nnotify:\n',
      'services: {}\nx-mine: [1, {a: b}]',
    ]) {
      assert.deepEqual(
        sampleConfig({ yaml }).problems.map(({ message }) => message),
        [],
        yaml,
      );
    }
  });

  const wrong: readonly (readonly [string, string, RegExp])[] = [
    ['no YAML', 'a: [\n', /^cannot-start: \/etc\/lifeboat\/config\.yaml cannot be read: .* at line 2, column 1$/],
    ['a tab', 'a:\n\tb: c', /cannot be read: .* at line 2, column 1/],
    ['a key twice', 'name: a\nname: b', /cannot be read: map keys must be unique at line 2, column 1/],
    ['two documents', 'name: a\n---\nname: b', /cannot be read: .*multiple documents/],
    ['an unknown tag', 'name: !secret x', /cannot be read: unresolved tag: !secret at line 1, column 7/],
    [
      'a text instead of keys',
      'just a text',
      /cannot be read: the document does not consist of keys and values at line 1/,
    ],
    ['a list instead of keys', '- a', /does not consist of keys and values/],
    ['a list of maps', 'projects: [{a: b}]', /cannot be read: a list may hold only texts/],
    ['a key that is a list', '? [a]\n: b', /cannot be read: a key must be a text/],
    ['an unknown key', 'nme: shop', /^ignored: unknown key nme in config\.yaml:1 – did you mean name\?$/],
    ['an unknown group', 'service: {db: {enable: no}}', /^ignored: unknown key service\.db\.enable in config\.yaml:1$/],
    ['a key of a service at the top', 'schedule: "@daily"', /^ignored: unknown key schedule in config\.yaml:1/],
    [
      'an unknown default',
      'defaults:\n  shedule: "@daily"',
      /unknown key defaults\.shedule in config\.yaml:2 – did you mean defaults\.schedule\?$/,
    ],
    ['a key of the sidecar as a default', 'defaults: {concurrency: 3}', /^ignored: unknown key defaults\.concurrency/],
    [
      'an unknown key of a destination',
      'dest: {local: {ulr: x}}',
      /unknown key dest\.local\.ulr in config\.yaml:1 – did you mean dest\.local\.url\?$/,
    ],
    [
      'a destination that is a text',
      'dest: {local: "file:///x"}',
      /^ignored: unknown key dest\.local in config\.yaml:1/,
    ],
    [
      'a key of a later version',
      'defaults: {keep: {daily: 7}}',
      /^ignored: key defaults\.keep\.daily in config\.yaml:1 is not supported by this version yet$/,
    ],
    ['encryption', 'passphrase: x', /^cannot-start: .* backups would not be encrypted$/],
    [
      'a bad value',
      'concurrency: many',
      /^default-used: key concurrency in config\.yaml:1: "many" is not a valid integer/,
    ],
    [
      'a bad URL of a destination',
      'dest: {offsite: {url: "ftp://x/"}}',
      /^cannot-start: key dest\.offsite\.url in config\.yaml:1: "ftp:\/\/x\/" is not a valid URL/,
    ],
    ['an empty value', 'concurrency:', /^default-used: key concurrency in config\.yaml:1 is empty$/],
    ['an empty data value', 'name: ""', /^cannot-start: key name in config\.yaml:1 is empty$/],
    [
      'a secret that is none',
      'notify: {slack: {url: hidden}}',
      /^cannot-start: key notify\.slack\.url in config\.yaml:1: the value \(not shown\)/,
    ],
    [
      'a secret twice',
      'notify: {slack: {url: "https://a.example/x", url-file: /s}}',
      /^cannot-start: .* set the same thing$/,
    ],
    ['a file for what is no secret', 'name-file: /s', /^ignored: unknown key name-file/],
  ];
  for (const [what, yaml, message] of wrong) {
    it(`with ${what} makes a problem`, () => {
      const config = sampleConfig({ yaml, files: { '/s': 'https://b.example/x' } });
      const problems = config.problems.map((each) => `${each.effect}: ${each.message}`);
      assert.match(problems[0] ?? '', message);
      assert.equal(problems.length, 1, problems.join('\n'));
      const [problem] = config.problems;
      const isHarmless = problem?.effect === 'ignored' || problem?.message.endsWith('is empty') === true;
      assert.equal(problem?.severity, isHarmless && problem?.effect !== 'cannot-start' ? 'warning' : 'error');
      assert.ok(!problems.join().includes('hidden'));
    });
  }

  it('that cannot be read says nothing at all', () => {
    const config = sampleConfig({ yaml: 'name: shop\nconcurrency: 9\nbroken: [' });
    assert.deepEqual([config.settings.name, config.settings.concurrency], [undefined, 2]);
  });

  it('tells where a key of a service belongs', () => {
    assert.match(
      sampleConfig({ yaml: 'schedule: "@daily"' }).problems[0]?.hint ?? '',
      /^It belongs below defaults: or services:/,
    );
  });

  it('tells of services that do not exist', () => {
    const config = sampleConfig({ yaml: 'services:\n  dbb: {enable: no}\n  web: {enable: no}\n  cache: {enable: no}' });
    assert.deepEqual(
      strangers(config, ['db', 'web']).map(({ severity, message, origin }) => [severity, message, originText(origin)]),
      [
        ['warning', 'there is no service "dbb" – did you mean db?', 'config.yaml:2'],
        ['warning', 'there is no service "cache"', 'config.yaml:4'],
      ],
    );
  });

  it('survives keys that are names of built-in things', () => {
    const yaml =
      '__proto__: {polluted: x}\nconstructor: x\nservices: {__proto__: {enable: no}, constructor: {enable: no}}\ndest: {__proto__: {url: "file:///x"}}';
    const config = sampleConfig({ yaml });
    assert.equal(({} as Record<string, unknown>).polluted, undefined);
    assert.deepEqual(
      config.problems.map(({ effect }) => effect),
      ['ignored', 'ignored', 'cannot-start'],
    );
    assert.equal(config.services.size, 2);
  });
});

describe('YAML', () => {
  it('is read as the text that was written', () => {
    const { entries } = yamlEntries(
      'a: 007\nb: no\nc: 1e3\nd: 0x1F\ne: null\nf: ~\ng: 2026-11-21\nh: "q"\ni: |\n  two\n  lines\nj: !!int "3"',
    );
    const texts = Object.fromEntries(entries.map(({ path, text }) => [path.join('.'), text]));
    assert.deepEqual(
      { ...texts, j: undefined },
      {
        a: '007',
        b: 'no',
        c: '1e3',
        d: '0x1F',
        e: 'null',
        f: '~',
        g: '2026-11-21',
        h: 'q',
        i: 'two\nlines\n',
        j: undefined,
      },
    );
  });

  it('merges as YAML does: own keys win, then the earlier merge', () => {
    const source = 'a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\nc: {<<: [*a, *b], x: 0}';
    const { entries, complaints } = yamlEntries(source);
    assert.deepEqual(complaints, []);
    const c = entries.filter(({ path }) => path[0] === 'c').map(({ path, text }) => [path[1], text]);
    assert.deepEqual(Object.fromEntries(c), { x: '0', y: '1', z: '2' });
    const shallow = yamlEntries('x-a: &a {p: {user: x, port: 1}}\nb: {<<: *a, p: {user: y}}').entries;
    assert.deepEqual(
      shallow.map(({ path, text }) => [path.join('.'), text]),
      [['b.p.user', 'y']],
    );
    assert.match(yamlEntries('a: {<<: text}').complaints[0]?.message ?? '', /can be merged/);
  });

  it('that explodes or runs in circles is refused in a moment', () => {
    const lines = ['a0: &a0 {x: 1, y: 2}'];
    for (let i = 1; i < 30; i++) lines.push(`a${i}: &a${i} {p: *a${i - 1}, q: *a${i - 1}}`);
    const started = performance.now();
    for (const source of [
      lines.join('\n'),
      'a: &a\n  b: *a',
      'a: &a {<<: *a}',
      `${'{a: '.repeat(200)}1${'}'.repeat(200)}`,
      `a: &a [x]\nb: [${'*a,'.repeat(9)}]`,
    ]) {
      assert.ok(yamlEntries(source).complaints.length > 0, source.slice(0, 50));
    }
    assert.ok(performance.now() - started < 20_000);
  });
});
