import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { z } from 'zod';
import { sampleEngines } from '../../test/samples/config.ts';
import { grammar } from '../domain/grammar.ts';
import { option } from '../domain/option.ts';
import { createRedactor } from '../domain/redact.ts';
import { lintCompose } from './compose-lint.ts';

const sample = { engines: sampleEngines, redactor: createRedactor() };

describe('config check -', () => {
  const compose = (services: object, rest: object = {}) => JSON.stringify({ name: 'shop', services, ...rest });
  const told = (json: string) =>
    lintCompose(json, sample).map(({ service, effect, message }) => `${service ?? '-'} ${effect}: ${message}`);

  it('finds nothing in a good stack', () => {
    const services = {
      db: {
        image: 'postgres:17',
        labels: {
          'lifeboat.schedule': '0 */6 * * *',
          'lifeboat.command': 'echo $$HOME | cat',
          'lifeboat.to': 'offsite',
        },
      },
      app: { image: 'x', labels: ['lifeboat.enable=false', 'traefik.http.rule=a=b'] },
      plain: { image: 'y' },
      sidecar: {
        environment: {
          LIFEBOAT_DEST_OFFSITE_URL_FILE: '/run/secrets/url',
          LIFEBOAT_NOTIFY_SLACK_URL_FILE: '/run/secrets/x',
          LIFEBOAT_NOTIFY_SLACK_ON: 'failure, success',
          LIFEBOAT_DISCOVERY: 'projects',
          LIFEBOAT_PROJECTS_FILE: '/run/projects',
          TZ: 'UTC',
          EMPTY: null,
        },
      },
    };
    assert.deepEqual(told(compose(services)), []);
  });

  it('tells the problems of every service and of the sidecar', () => {
    const services = {
      db: {
        labels: { 'lifeboat.shedule': '@daily', 'lifeboat.timeout': '7dd', 'lifeboat.to': 'ofsite' },
        deploy: { labels: { 'lifeboat.enable': 'true', other: 'x' } },
      },
      app: { labels: { 'lifeboat.schedule': '', 'lifeboat.postgres.password': 'hunter2' } },
      sidecar: { environment: ['LIFEBOAT_DEST_OFFSITE_URL=s3://b', 'LIFEBOAT_JITER=1m', 'LIFEBOAT_X'] },
    };
    const volumes = { data: { labels: { 'lifeboat.enable': 'false' } } };
    assert.deepEqual(
      told(compose(services, { volumes })).map((line) => line.slice(0, 78)),
      [
        'sidecar ignored: unknown variable LIFEBOAT_JITER – did you mean LIFEBOAT_JITTER?',
        'db ignored: unknown label lifeboat.shedule on service db – did you mean lifeboat.schedule?',
        'db default-used: label lifeboat.to on service db: no destination is called "ofsite" – did you mean offsite?',
        'db default-used: label lifeboat.timeout on service db: "7dd" is not a valid duration; allowed: whole',
        'db ignored: label lifeboat.enable of service db stands below deploy, where containers do not get it',
        'app source-disabled: label lifeboat.postgres.password on service app holds a secret (not shown); everybody',
        'app default-used: label lifeboat.schedule on service app is empty',
        '- ignored: label lifeboat.enable on volume data is not read: Docker cannot change the labels',
      ].map((line) => line.slice(0, 78)),
    );
  });

  it('warns of what does no harm', () => {
    const json = compose(
      { a: { deploy: { labels: { 'lifeboat.x': '' } } } },
      { volumes: { v: { labels: { 'lifeboat.x': '' } } } },
    );
    assert.deepEqual(
      lintCompose(json, sample).map(({ severity }) => severity),
      ['warning', 'warning'],
    );
  });

  it('takes $$ for the dollar sign that Compose writes so', () => {
    const dollars = grammar({ name: 'x', allowed: 'x', examples: ['x'] }, (text, reject) =>
      text === 'a$b$$c' ? text : reject(),
    );
    const engines = [{ name: 'e', options: z.strictObject({ x: option(dollars, z.string()) }) }];
    assert.deepEqual(
      lintCompose(compose({ s: { labels: { 'lifeboat.e.x': 'a$$b$$$$c' } } }), { engines, redactor: createRedactor() }),
      [],
    );
  });

  it('does not say that a destination is missing where a configuration file may hold it', () => {
    const sidecar = { environment: { LIFEBOAT_STRICT: 'true' } };
    assert.deepEqual(told(compose({ sidecar })), [
      'sidecar cannot-start: no destination is set, so there is nowhere to store backups',
    ]);
    assert.deepEqual(
      told(compose({ sidecar: { ...sidecar, configs: [{ source: 'c', target: '/etc/lifeboat/config.yaml' }] } })),
      [],
    );
  });

  it('reads labels with the prefix that the sidecar has', () => {
    const services = {
      db: { labels: { 'boat.timeout': 'x' } },
      sidecar: { environment: { LIFEBOAT_LABEL_PREFIX: 'boat', LIFEBOAT_DEST_A_URL: 's3://b' } },
    };
    assert.equal(told(compose(services)).length, 1);
  });

  it('refuses what Compose did not print', () => {
    for (const json of ['', 'services:', '[]', '{}', 'null', '"x"', '{"services"']) {
      assert.throws(() => lintCompose(json, sample), { code: 'USAGE' }, json);
    }
    for (const json of ['{"services": null}', '{"services": {"a": null, "b": 3, "c": {"labels": 7}}}'])
      assert.deepEqual(told(json), []);
    const hostile = '{"services": {"__proto__": {"labels": {"lifeboat.x": "y"}}, "a": {"labels": {"__proto__": "x"}}}}';
    assert.deepEqual(told(hostile), ['__proto__ ignored: unknown label lifeboat.x on service __proto__']);
  });
});
