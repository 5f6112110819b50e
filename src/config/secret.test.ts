import assert from 'node:assert/strict';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { inspect } from 'node:util';
import { type Sample, sampleConfig } from '../../test/samples/config.ts';
import { createRedactor } from '../domain/redact.ts';
import { localDisk, readTextFile } from './disk.ts';
import { isSecretName, Secret } from './secret.ts';

const slack = 'https://hooks.example.org/services/T1/B2/secretsecret';

/** One line per problem: what it does and what it says. */
function told(sample: Sample): readonly string[] {
  return sampleConfig(sample).problems.map(({ effect, message }) => `${effect}: ${message}`);
}

describe('secrets', () => {
  const nasty = [
    'it\'s "x"',
    'two  words',
    'a%20b%',
    '$HOME$$x',
    'käse密🔑',
    'back\\slash',
    'line\nline',
    ' padded ',
    '#x: [y',
    "-rf '",
  ];

  for (const secret of nasty) {
    it(`come unchanged from a variable and from a file: ${JSON.stringify(secret)} (fault 94)`, () => {
      const id = { LIFEBOAT_DEST_S_URL: 's3://b', LIFEBOAT_DEST_S_ACCESS_KEY_ID: 'id123' };
      const direct = sampleConfig({ env: { ...id, LIFEBOAT_DEST_S_SECRET_ACCESS_KEY: secret } });
      const fromFile = sampleConfig({
        env: { ...id, LIFEBOAT_DEST_S_SECRET_ACCESS_KEY_FILE: '/run/secrets/s3' },
        files: { '/run/secrets/s3': `${secret}\n` },
      });
      for (const { settings } of [direct, fromFile]) {
        const login = settings.destinations.find(({ name }) => name === 's')?.login;
        assert.equal(login?.secretAccessKey.reveal(), secret);
        assert.ok(!`${inspect(settings, { depth: 9 })}${JSON.stringify(settings)}`.includes(secret.trim()));
      }
    });
  }

  it('lose exactly one line end', () => {
    const read = (content: string) => {
      const config = sampleConfig({
        env: { LIFEBOAT_NOTIFY_WEBHOOK_URL: slack, LIFEBOAT_NOTIFY_WEBHOOK_SECRET_FILE: '/s' },
        files: { '/s': content },
      });
      const channel = config.settings.channels[0];
      return [
        channel?.name === 'webhook' ? channel.secret?.reveal() : undefined,
        config.problems.map(({ message }) => message),
      ];
    };
    const key = 'MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3';
    assert.deepEqual(read(key), [key, []]);
    assert.deepEqual(read(`${key}\n`), [key, []]);
    assert.deepEqual(read(`${key}\r\n`), [key, []]);
    assert.deepEqual(read(`\ufeff${key}\n`), [key, []]);
    const warned = ['the value in /s begins or ends with white space, which is taken as part of it'];
    assert.deepEqual(read(`${key}\n\n`), [`${key}\n`, warned]);
    assert.deepEqual(read(` ${key}`), [` ${key}`, warned]);
    assert.deepEqual(read(`${key}\t\n`), [`${key}\t`, warned]);
  });

  it('given twice name both variables and keep us from starting', () => {
    const env = { LIFEBOAT_NOTIFY_SLACK_URL: slack, LIFEBOAT_NOTIFY_SLACK_URL_FILE: '/s' };
    assert.deepEqual(told({ env, files: { '/s': slack } }), [
      'cannot-start: both LIFEBOAT_NOTIFY_SLACK_URL and LIFEBOAT_NOTIFY_SLACK_URL_FILE are set',
    ]);
    assert.equal(sampleConfig({ env }).problems[0]?.severity, 'error');
  });

  it('that cannot be read tell the path, who we are and the mode of the file', () => {
    const read = (file: Exclude<Sample['files'], undefined>[string] | undefined) =>
      told({
        env: { LIFEBOAT_NOTIFY_SLACK_URL_FILE: '/run/secrets/slack' },
        files: file === undefined ? {} : { '/run/secrets/slack': file },
      })[0];
    assert.equal(
      read({ content: '', code: 'EACCES', mode: 0o600 }),
      'cannot-start: cannot read /run/secrets/slack: permission denied; we are uid 1000, gid 1001, the file is mode 0600 of 0:0',
    );
    assert.equal(
      read(undefined),
      'cannot-start: cannot read /run/secrets/slack: there is no such file (we are uid 1000, gid 1001)',
    );
    assert.match(read({ content: '', kind: 'folder' }) ?? '', /it is a folder \(Docker makes one when/);
    assert.match(read({ content: '', kind: 'pipe' }) ?? '', /it is not a regular file/);
    assert.match(read({ content: Uint8Array.of(0xff, 0xfe, 0x00) }) ?? '', /it is not UTF-8 text/);
    assert.match(read({ content: 'x'.repeat(2 ** 20 + 1) }) ?? '', /1048577 bytes, at most 1 MiB/);
    assert.match(read({ content: '', code: 'EIO' }) ?? '', /EIO; we are uid 1000/);
    assert.match(read('\n') ?? '', /is empty$/);
  });

  it('that are wrong are not shown', () => {
    const cases: readonly Readonly<Record<string, string>>[] = [
      { LIFEBOAT_NOTIFY_SLACK_URL: 'hooks.example.org/verysecret' },
      { LIFEBOAT_NOTIFY_WEBHOOK_URL: 'ftp://verysecret' },
      { LIFEBOAT_NOTIFY_WEBHOOK_URL: slack, LIFEBOAT_NOTIFY_WEBHOOK_SECRET: 'verysecret' },
      { LIFEBOAT_DEST_S_URL: 's3://AKIA:verysecret@bucket/x' },
      { LIFEBOAT_DEST_S_URL: 's3://bucket/x?endpoint=https://AKIA:verysecret@host' },
      { LIFEBOAT_UI_PASSWORD: 'verysecret' },
      { LIFEBOAT_SLACK_TOKEN: 'verysecret' },
    ];
    for (const env of cases) {
      const config = sampleConfig({ env });
      assert.equal(config.problems.length, 1);
      assert.ok(!JSON.stringify(config.problems).includes('verysecret'), JSON.stringify(config.problems));
    }
  });

  it('are known to the redactor in the moment they are read, wrong ones and strangers too', () => {
    const redactor = createRedactor();
    const env = {
      LIFEBOAT_NOTIFY_SLACK_URL: slack,
      LIFEBOAT_DEST_S_SECRET_ACCESS_KEY_FILE: '/s',
      LIFEBOAT_UI_PASSWORD: 'planned-password',
      AWS_SECRET_ACCESS_KEY: 'aws-secret',
      LIFEBOAT_NOTIFY_WEBHOOK_SECRET: 'tooshort',
    };
    const yaml = 'dest: {s: {session-token: yaml-token}}';
    sampleConfig({ env, yaml, files: { '/s': 'file-secret\n' }, redactor });
    for (const secret of [slack, 'planned-password', 'aws-secret', 'tooshort', 'file-secret', 'yaml-token']) {
      assert.equal(redactor.redact(`<${secret}>`), '<[redacted]>', secret);
    }
  });

  it('cannot be printed by accident', () => {
    const secret = new Secret('hunter22', { from: 'environment', variable: 'X_FILE', file: '/run/secrets/x' });
    const seen = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect({ secret }),
      inspect(secret, { showHidden: true }),
    ];
    seen.push(JSON.stringify(Object.entries(secret)), JSON.stringify({ ...secret }), new Error(`${secret}`).message);
    assert.ok(!seen.join().includes('hunter22'), seen.join());
    assert.equal(`${secret}`, '[redacted]');
    assert.equal(JSON.stringify({ secret }), '{"secret":"[redacted]"}');
    assert.equal(secret.describe(), '•••• (8 characters, from /run/secrets/x)');
    assert.equal(secret.reveal(), 'hunter22');
  });

  it('are told from names that only point to them', () => {
    for (const name of [
      'postgres.password',
      'x.token',
      'webhook.secret',
      'LIFEBOAT_UI_PASSWORD',
      'dest.x.secret-access-key',
      'passphrase',
    ]) {
      assert.ok(isSecretName(name), name);
    }
    for (const name of ['postgres.password-env', 'postgres.password-file', 'schedule', 'tokens', 'secretary']) {
      assert.ok(!isSecretName(name), name);
    }
  });

  it('are read from a real disk', () => {
    const folder = mkdtempSync(join(tmpdir(), 'lifeboat-'));
    try {
      writeFileSync(join(folder, 'secret'), 'käse\n');
      chmodSync(join(folder, 'secret'), 0o640);
      mkdirSync(join(folder, 'folder'));
      assert.deepEqual(readTextFile(localDisk, join(folder, 'secret')), { text: 'käse\n' });
      assert.equal(localDisk.stat(join(folder, 'secret')).mode, 0o640);
      assert.match(JSON.stringify(readTextFile(localDisk, join(folder, 'folder'))), /it is a folder/);
      assert.match(JSON.stringify(readTextFile(localDisk, '/dev/null')), /not a regular file/);
      assert.match(JSON.stringify(readTextFile(localDisk, join(folder, 'none'))), /no such file/);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});
