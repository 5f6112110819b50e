import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleConfig } from '../../test/samples/config.ts';
import { githubAnnotation, type Problem, problemText, startRefusal } from './problems.ts';

describe('starting', () => {
  it('is refused with exit code 78 for what cannot be guessed, and for anything when strict', () => {
    const refusal = (env: Readonly<Record<string, string>>) => {
      const { problems, settings } = sampleConfig({ env });
      return startRefusal(problems, settings.isStrict);
    };
    assert.equal(refusal({}), undefined);
    assert.equal(refusal({ LIFEBOAT_SHEDULE: 'x', LIFEBOAT_TIMEOUT: '7dd' }), undefined);
    const plain = refusal({ LIFEBOAT_DISCOVERY: 'x' });
    assert.equal(plain?.context.exitCode, 78);
    assert.match(plain?.hint ?? '', /^Fix LIFEBOAT_DISCOVERY/);
    assert.match(
      refusal({ LIFEBOAT_STRICT: 'yes', LIFEBOAT_X: 'x' })?.hint ?? '',
      /^LIFEBOAT_STRICT is set\. Fix LIFEBOAT_X/,
    );
    assert.match(refusal({ LIFEBOAT_STRICT: 'yes', LIFEBOAT_DISCOVERY: 'x' })?.hint ?? '', /^Fix LIFEBOAT_DISCOVERY/);
    const strict = refusal({ LIFEBOAT_STRICT: 'true', LIFEBOAT_SHEDULE: 'x', LIFEBOAT_TIMEOUT: '7dd' });
    assert.equal(strict?.code, 'CONFIG_INVALID');
    assert.equal(strict?.context.problems, 2);
    assert.match(strict?.message ?? '', /^cannot start: unknown variable LIFEBOAT_SHEDULE .* \(and 1 more\)$/);
    assert.equal(refusal({ LIFEBOAT_STRICT: 'true' }), undefined);
  });

  it('tells every problem at once', () => {
    const env = {
      LIFEBOAT_SHEDULE: 'x',
      LIFEBOAT_TIMEOUT: 'x',
      LIFEBOAT_JITTER: 'x',
      LIFEBOAT_TO: 'x',
      LIFEBOAT_DEST_S_URL: 'x',
      TZ: 'x',
    };
    const text = sampleConfig({ env, yaml: 'nme: x\nlog-level: loud' }).problems.map(problemText).join('\n');
    for (const name of [...Object.keys(env), 'nme in config.yaml:1', 'log-level in config.yaml:2'])
      assert.ok(text.includes(name), name);
  });
});

describe('a GitHub annotation', () => {
  const base: Problem = {
    severity: 'error',
    effect: 'ignored',
    origin: { from: 'default' },
    message: 'a 100% bad\nline',
    hint: 'do: it',
  };

  it('is one line, with its place where there is one', () => {
    assert.equal(githubAnnotation(base), '::error title=Lifeboat configuration::A 100%25 bad%0Aline. do: it');
    const origin = { from: 'file', path: '/a,b:c.yaml', line: 3, column: 4 } as const;
    assert.match(
      githubAnnotation({ ...base, severity: 'warning', origin }),
      /^::warning file=\/a%2Cb%3Ac\.yaml,line=3,col=4,title=/,
    );
  });
});
