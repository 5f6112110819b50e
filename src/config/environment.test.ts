import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { type Sample, sampleConfig, sampleEngines } from '../../test/samples/config.ts';
import { variableOf } from './key.ts';
import { createVariables } from './variables.ts';
import { createVocabulary } from './vocabulary.ts';

/** One line per problem: what it does and what it says. */
function told(sample: Sample): readonly string[] {
  return sampleConfig(sample).problems.map(({ effect, message }) => `${effect}: ${message}`);
}

describe('variables', () => {
  it('are named after their key by one rule, and no two share one', () => {
    assert.equal(variableOf('stop.timeout'), 'LIFEBOAT_STOP_TIMEOUT');
    const vocabulary = createVocabulary(sampleEngines);
    const variables = createVariables(vocabulary);
    for (const [key, entry] of [...vocabulary.stack, ...vocabulary.service]) {
      assert.deepEqual(variables.find(variableOf(key)), { entry });
    }
  });

  it('would not come to be when two keys shared one', () => {
    const engine = { name: 'stop', options: sampleEngines[1]?.options ?? assert.fail() };
    const twice = { ...engine, name: 'log-level' };
    assert.throws(() => createVariables(createVocabulary([twice])), { code: 'INTERNAL' });
  });

  it('need options of engines that read text', () => {
    const typed = { name: 'redis', options: z.strictObject({ port: z.number() }) };
    assert.throws(() => createVocabulary([typed]), { code: 'INTERNAL', message: /port of engine redis reads no text/ });
  });

  it('of destinations carry a free name', () => {
    const env = {
      LIFEBOAT_DEST_OFF_SITE_URL: 's3://bucket/x',
      LIFEBOAT_DEST_OFF_SITE_ACCESS_KEY_ID: 'AKIA123',
      LIFEBOAT_DEST_OFF_SITE_SECRET_ACCESS_KEY: 'very secret',
      LIFEBOAT_DEST_OFF_SITE_REQUIRED: 'yes',
    };
    const { settings, problems } = sampleConfig({ env });
    assert.deepEqual(problems, []);
    const [local, offSite] = settings.destinations;
    assert.deepEqual([local?.name, local?.scheme, local?.isRequired], ['local', 'file', false]);
    assert.deepEqual(
      [offSite?.name, offSite?.url, offSite?.scheme, offSite?.isRequired],
      ['off-site', 's3://bucket/x', 's3', true],
    );
    assert.deepEqual(
      [offSite?.login?.accessKeyId.reveal(), offSite?.login?.secretAccessKey.reveal()],
      ['AKIA123', 'very secret'],
    );
  });

  it('of AWS are the login of S3 destinations without one of their own', () => {
    const env = {
      LIFEBOAT_DEST_A_URL: 's3://a',
      LIFEBOAT_DEST_B_URL: 's3://b',
      LIFEBOAT_DEST_B_ACCESS_KEY_ID: 'own',
      LIFEBOAT_DEST_B_SECRET_ACCESS_KEY: 'own secret',
      AWS_ACCESS_KEY_ID_FILE: '/run/secrets/id',
      AWS_SECRET_ACCESS_KEY: 'common secret',
      AWS_SESSION_TOKEN: 'session',
    };
    const { settings, problems } = sampleConfig({ env, files: { '/run/secrets/id': 'common\n' } });
    assert.deepEqual(problems, []);
    const logins = settings.destinations.map(({ name, login }) => [
      name,
      login?.accessKeyId.reveal(),
      login?.secretAccessKey.reveal(),
      login?.sessionToken?.reveal(),
    ]);
    assert.deepEqual(logins, [
      ['a', 'common', 'common secret', 'session'],
      ['b', 'own', 'own secret', undefined],
      ['local', undefined, undefined, undefined],
    ]);
    const half = { ...env, LIFEBOAT_DEST_B_SECRET_ACCESS_KEY: '' };
    assert.match(
      told({ env: half }).join(),
      /there is no such file.*,cannot-start: destination b has only one half of its login: secret-access-key is missing$/,
    );
  });

  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, RegExp])[] = [
    [
      'a slip',
      { LIFEBOAT_SHEDULE: '@daily' },
      /^ignored: unknown variable LIFEBOAT_SHEDULE – did you mean LIFEBOAT_SCHEDULE\?$/,
    ],
    ['a slip with _FILE', { LIFEBOAT_NAMEE_FILE: '/x' }, /^ignored: unknown variable LIFEBOAT_NAMEE_FILE$/],
    ['a slip in a destination', { LIFEBOAT_DEST_OFF_SITE_ULR: 'x' }, /did you mean LIFEBOAT_DEST_OFF_SITE_URL\?$/],
    ['a destination without key', { LIFEBOAT_DEST_LOCAL: 'x' }, /^ignored: unknown variable LIFEBOAT_DEST_LOCAL$/],
    ['lower case', { LIFEBOAT_schedule: '@daily' }, /did you mean LIFEBOAT_SCHEDULE\?$/],
    [
      'a key of a later version',
      { LIFEBOAT_KEEP_DAILY: '7' },
      /^ignored: LIFEBOAT_KEEP_DAILY is not supported by this version yet$/,
    ],
    [
      'a key of a later version, with _FILE',
      { LIFEBOAT_UI_PASSWORD_FILE: '/x' },
      /LIFEBOAT_UI_PASSWORD_FILE is not supported/,
    ],
    ['encryption', { LIFEBOAT_PASSPHRASE_FILE: '/x' }, /^cannot-start: .* backups would not be encrypted$/],
    ['encryption to keys', { LIFEBOAT_AGE_RECIPIENTS: 'age1x' }, /^cannot-start: .* backups would not be encrypted$/],
    [
      'a bad tuning value (fault 71)',
      { LIFEBOAT_TIMEOUT: '7dd' },
      /^default-used: LIFEBOAT_TIMEOUT: "7dd" is not a valid duration/,
    ],
    [
      'no concurrency (fault 71)',
      { LIFEBOAT_CONCURRENCY: '0' },
      /^default-used: LIFEBOAT_CONCURRENCY: "0" is not a valid integer/,
    ],
    [
      'a bad data value',
      { LIFEBOAT_DISCOVERY: 'hots' },
      /^cannot-start: LIFEBOAT_DISCOVERY: .*allowed: project, projects, host/,
    ],
    ['a bad option of an engine', { LIFEBOAT_POSTGRES_PORT: 'x' }, /^cannot-start: LIFEBOAT_POSTGRES_PORT: /],
    ['a safety switch that is no bool', { LIFEBOAT_REQUIRE_CONFIRM: 'ture' }, /^cannot-start: /],
    [
      'an unknown destination',
      { LIFEBOAT_TO: 'locla' },
      /^default-used: .*no destination is called "locla" – did you mean local\?$/,
    ],
    ['all beside a name', { LIFEBOAT_TO: 'all, local' }, /"all" cannot stand beside other names/],
    ['no such channel', { LIFEBOAT_NOTIFY: 'slack' }, /no channel is called "slack"; there is none$/],
    [
      'channels without an address',
      { LIFEBOAT_NOTIFY_SLACK_ON: 'failure' },
      /^ignored: key notify.slack.on is set, but without notify.slack.url/,
    ],
    [
      'projects without scope',
      { LIFEBOAT_PROJECTS: 'a' },
      /^ignored: key projects is set, but without discovery: projects it does/,
    ],
    ['scope without projects', { LIFEBOAT_DISCOVERY: 'projects' }, /^cannot-start: .*no projects are named$/],
    [
      'an event of a later version',
      { LIFEBOAT_NOTIFY_ON: 'late' },
      /allowed: failure, recovered, config-problem, success/,
    ],
    ['a zone that is none', { TZ: 'Europe/Wien' }, /^default-used: TZ: "Europe\/Wien" is not a valid timezone/],
    [
      'half a login',
      { LIFEBOAT_DEST_S_URL: 's3://b', LIFEBOAT_DEST_S_ACCESS_KEY_ID: 'x' },
      /^cannot-start: destination s has only one half .*: secret-access-key is missing$/,
    ],
    ['no URL', { LIFEBOAT_DEST_S_REQUIRED: 'yes' }, /^cannot-start: destination s has no URL$/],
    ['a reserved name', { LIFEBOAT_DEST_ALL_URL: 'file:///x' }, /^cannot-start: destination all cannot be called so/],
    ['two slashes', { LIFEBOAT_DEST_S_URL: 'file://backups' }, /three slashes/],
    ['a path', { LIFEBOAT_DEST_S_URL: '/backups' }, /\(file:\/\/\/backups\?\)/],
    ['no path', { LIFEBOAT_DEST_S_URL: 'file:///' }, /the path is missing/],
    ['the prefix of Docker', { LIFEBOAT_LABEL_PREFIX: 'com.docker.x' }, /reserved for Docker/],
    ['a folder with steps up', { LIFEBOAT_DATA_DIR: '/data/../etc' }, /allowed: an absolute path/],
    ['a folder from nowhere', { LIFEBOAT_DATA_DIR: 'data' }, /allowed: an absolute path/],
    ['another scheme', { LIFEBOAT_DEST_S_URL: 'ftp://x/y' }, /ftp is not supported by this version/],
    ['no bucket', { LIFEBOAT_DEST_S_URL: 's3:///x' }, /the bucket is missing/],
    ['not even a URL', { LIFEBOAT_DEST_S_URL: 'backups' }, /is not a valid URL/],
    [
      'both ways to write one key',
      { LIFEBOAT_CODEC: 'gzip', LIFEBOAT_CODEC_NAME: 'zstd' },
      /^default-used: .* set the same thing$/,
    ],
  ];
  for (const [what, env, message] of wrong) {
    it(`with ${what} make one problem`, () => {
      const problems = told({ env });
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0] ?? '', message);
      const [problem] = sampleConfig({ env }).problems;
      assert.equal(problem?.severity, problem?.effect === 'ignored' ? 'warning' : 'error');
    });
  }

  it('of others are left alone, as are empty ones and our internal ones', () => {
    const env = {
      LIFEBOAT_SCHEDULE: '',
      LIFEBOAT_NOTIFY_SLACK_URL_FILE: '',
      PATH: 'x',
      LIFEBOATS: 'x',
      LIFEBOAT_TESTBED_CACHE: 'x',
    };
    assert.deepEqual(told({ env }), []);
  });

  it('without any destination cannot start', () => {
    assert.equal(sampleConfig({ isBare: true }).problems[0]?.severity, 'error');
    assert.deepEqual(told({ isBare: true }), [
      'cannot-start: no destination is set, so there is nowhere to store backups',
    ]);
  });
});
