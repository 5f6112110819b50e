import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { sampleService } from '../../test/samples/config.ts';
import { problemText } from './problems.ts';

/** One line per problem of the service `db`: what it does, to which source, and what it says. */
function told(labels: Readonly<Record<string, string>>): readonly string[] {
  return sampleService(labels).problems.map(
    ({ effect, source, message }) => `${effect} (${source ?? 'all'}): ${message}`,
  );
}

describe('labels', () => {
  // The table of ux.md §1.3.
  const wrong: readonly (readonly [string, Readonly<Record<string, string>>, 'warning' | 'error', RegExp])[] = [
    [
      'an unknown key',
      { 'lifeboat.shedule': '@daily' },
      'warning',
      /^ignored \(all\): unknown label lifeboat\.shedule on service db – did you mean lifeboat\.schedule\?$/,
    ],
    [
      'an unknown key far from any',
      { 'lifeboat.colour': 'x' },
      'warning',
      /^ignored \(all\): unknown label lifeboat\.colour on service db$/,
    ],
    ['an unknown option', { 'lifeboat.postgres.usr': 'x' }, 'warning', /did you mean lifeboat\.postgres\.user\?$/],
    [
      'an unknown option of an alias',
      { 'lifeboat.mariadb.usr': 'x' },
      'warning',
      /did you mean lifeboat\.mariadb\.user\?$/,
    ],
    [
      'an unknown key of an extra source',
      { 'lifeboat.source.x.comand': 'x' },
      'warning',
      /did you mean lifeboat\.source\.x\.command\?$/,
    ],
    ['a key in capitals', { 'lifeboat.Schedule': '@daily' }, 'warning', /did you mean lifeboat\.schedule\?$/],
    [
      'a key of a later version',
      { 'lifeboat.keep.daily': '7' },
      'warning',
      /^ignored \(all\): label lifeboat\.keep\.daily on service db is not supported by this version yet$/,
    ],
    [
      'a slip near a key of a later version',
      { 'lifeboat.exlude': 'x' },
      'warning',
      /did you mean lifeboat\.exclude \(which this version does not support yet\)\?$/,
    ],
    [
      'a bad tuning value (fault 71)',
      { 'lifeboat.timeout': '7dd' },
      'error',
      /^default-used \(all\): label lifeboat\.timeout on service db: "7dd" is not a valid duration/,
    ],
    ['a bad data value of an engine', { 'lifeboat.postgres.port': 'x' }, 'error', /^source-disabled \(postgres\): /],
    ['a bad data value of the service', { 'lifeboat.enable': 'maybe' }, 'error', /^source-disabled \(all\): /],
    [
      'a bad switch',
      { 'lifeboat.postgres': 'yess' },
      'error',
      /^source-disabled \(postgres\): .*allowed: auto, none, true, false/,
    ],
    [
      'a secret',
      { 'lifeboat.postgres.password': 'hunter2' },
      'error',
      /^source-disabled \(postgres\): .* holds a secret \(not shown\)/,
    ],
    ['a secret of an alias', { 'lifeboat.mariadb.password': 'hunter2' }, 'error', /^source-disabled \(mysql\): /],
    [
      'a secret of nothing we know',
      { 'lifeboat.api-token': 'hunter2' },
      'error',
      /^source-disabled \(all\): .* holds a secret/,
    ],
    [
      'a secret of an extra source',
      { 'lifeboat.source.x.postgres.password': 'hunter2' },
      'error',
      /^source-disabled \(x\): .* holds a secret/,
    ],
    [
      'an empty tuning value',
      { 'lifeboat.schedule': '' },
      'warning',
      /^default-used \(all\): label lifeboat\.schedule on service db is empty$/,
    ],
    ['an empty data value', { 'lifeboat.command': ' ' }, 'error', /^source-disabled \(command\): .* is empty$/],
    [
      'an empty value of an extra source',
      { 'lifeboat.source.x.command': 'y', 'lifeboat.source.x.command.restore': '' },
      'error',
      /^source-disabled \(x\): .* is empty$/,
    ],
    [
      'two ways to say one thing',
      { 'lifeboat.postgres': 'true', 'lifeboat.postgres.enable': 'no' },
      'error',
      /^source-disabled \(postgres\): .* set the same thing$/,
    ],
    [
      'a bare option twice',
      { 'lifeboat.sqlite': '/a', 'lifeboat.sqlite.paths': '/b' },
      'error',
      /^source-disabled \(sqlite\): .* set the same thing$/,
    ],
    [
      'the prefix alone',
      { lifeboat: 'false' },
      'warning',
      /^ignored \(all\): unknown label lifeboat on service db – did you mean lifeboat\.enable\?$/,
    ],
    ['a slip in the prefix', { 'lifebaot.enable': 'false' }, 'warning', /did you mean lifeboat\.enable\?$/],
  ];
  for (const [what, labels, severity, message] of wrong) {
    it(`with ${what} make one ${severity}`, () => {
      const problems = told(labels);
      assert.equal(problems.length, 1, problems.join('\n'));
      assert.match(problems[0] ?? '', message);
      assert.equal(sampleService(labels).problems[0]?.severity, severity);
      assert.ok(!problems.join().includes('hunter2'));
    });
  }

  it('of others are left alone', () => {
    assert.deepEqual(
      told({
        'com.docker.compose.project': 'shop',
        'traefik.enable': 'true',
        lifeboats: 'x',
        'my.lifeboat.enable': 'no',
        '': 'x',
      }),
      [],
    );
  });

  it('tell what follows, how to fix it and where to read on', () => {
    const [problem] = sampleService({ 'lifeboat.timeout': '7dd' }).problems;
    assert.equal(
      problem && problemText(problem),
      [
        'ERROR Label lifeboat.timeout on service db: "7dd" is not a valid duration; allowed: whole numbers with the units w, d, h, m, s, the largest first, at least 1s; for example 26h or 1d12h',
        '      The default is used instead. Fix it in compose.yaml, then: docker compose up -d db (this recreates db)',
        '      docs/reference/configuration.md#timeout',
      ].join('\n'),
    );
    assert.match(
      sampleService({ 'lifeboat.schedule': '' }).problems[0]?.hint ?? '',
      /^Compose replaces \$NAME in values.*write \$\$NAME/,
    );
  });

  it('with a mistake about one engine leave the others alone', () => {
    const choice = sampleService({ 'lifeboat.postgres.port': 'x', 'lifeboat.mysql.user': 'root' });
    assert.equal(choice.engineOptions('postgres').options, undefined);
    assert.ok(choice.engineOptions('postgres').failure);
    assert.deepEqual(choice.engineOptions('mysql').options, { user: 'root' });
    assert.equal(choice.engineOptions('mysql').failure, undefined);
  });

  it('with a mistake about the whole service disable all of it, extra sources too', () => {
    const choice = sampleService({ 'lifeboat.enable': 'maybe', 'lifeboat.source.x.command': 'y' });
    assert.ok(choice.engineOptions('postgres').failure);
    assert.ok(choice.extras[0]?.engineOptions('command').failure);
    assert.equal(choice.extras[0]?.engineOptions('command').options, undefined);
  });
});
