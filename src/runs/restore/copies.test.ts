import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ErrorCode, LifeboatError } from '../../domain/errors.ts';
import type { Destination } from '../context.ts';
import { firstWhole } from './copies.ts';

const never = new AbortController().signal;
const copy = (name: string, isLocal = false) => ({ name, isLocal }) as Destination;
const copies = [copy('cloud'), copy('disk', true), copy('other')];

/** Proves copies that fail with the given codes, and writes down what was tried and told. */
function trial(failing: Readonly<Record<string, ErrorCode>>, signal = never) {
  const tried: string[] = [];
  const warnings: string[] = [];
  const prove = async (candidate: Destination) => {
    const { name } = candidate;
    tried.push(name);
    const code = failing[name];
    if (code) throw new LifeboatError(code, `${name} fails`);
    return candidate;
  };
  const found = firstWhole('k3f9a2', copies, prove, (warning) => warnings.push(warning), signal);
  return { found, tried, warnings };
}

test('the copy on a disk of this host comes first', async () => {
  const { found, tried, warnings } = trial({});
  assert.equal((await found).name, 'disk');
  assert.deepEqual([tried, warnings], [['disk'], []]);
});

test('one that is damaged or away is told of, and the next one is taken', async () => {
  const { found, warnings } = trial({ disk: 'ARTIFACT_CORRUPT', cloud: 'STORE_UNAVAILABLE' });
  assert.equal((await found).name, 'other');
  assert.deepEqual(warnings, [
    'the copy in disk is damaged: disk fails; taking the one in cloud',
    'the copy in cloud cannot be read: cloud fails; taking the one in other',
  ]);
});

test('when none is whole, all are named; damage outweighs absence', async () => {
  const { found } = trial({ disk: 'STORE_UNAVAILABLE', cloud: 'OBJECT_NOT_FOUND', other: 'PROOF_FAILED' });
  await assert.rejects(found, {
    code: 'ARTIFACT_CORRUPT',
    message:
      /no copy of backup k3f9a2 is whole: the copy in disk cannot be read.*in cloud is damaged.*in other is damaged/,
    hint: /--at/,
  });
  const away = trial({ disk: 'STORE_UNAVAILABLE', cloud: 'STORE_UNAVAILABLE', other: 'STORE_UNAVAILABLE' });
  await assert.rejects(away.found, { code: 'STORE_UNAVAILABLE', message: 'disk fails' });
});

test('a restore that is cancelled tries no further', async () => {
  const { found, tried } = trial({ disk: 'CANCELLED' }, AbortSignal.abort());
  await assert.rejects(found, { code: 'CANCELLED' });
  assert.deepEqual(tried, ['disk']);
});
