import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../test/samples/manifest.ts';
import { LifeboatError } from '../domain/errors.ts';
import { cleanedOperations } from './cleaned-operations.ts';
import type { Operations } from './operations.ts';

const never = new AbortController().signal;
const clean = (text: string) => text.replaceAll('s3cret', '[redacted]');

test('fault 95: results and errors are told without secrets, names and manifests as they are', async () => {
  const manifest = sampleManifest({ warnings: ['s3cret'] });
  const operations = {
    list: async () => ({
      backups: [{ manifest, destinations: ['s3cret'] }],
      problems: [{ destination: 'offsite', key: 'k', message: 'no s3cret' }],
    }),
    plan: async () => ({
      stack: 's3cret',
      sources: [],
      uncovered: [{ service: 's3cret', what: 'x', why: 'a s3cret' }],
    }),
    cancel: async () => {
      throw new LifeboatError('RUN_NOT_FOUND', 'no s3cret', { hint: 's3cret', context: { run: 'r' }, retryable: true });
    },
  } as unknown as Operations;
  const cleaned = cleanedOperations(operations, clean);
  const { backups, problems } = await cleaned.list({}, never);
  assert.equal(backups[0]?.manifest, manifest);
  assert.equal(problems[0]?.message, 'no [redacted]');
  const plan = await cleaned.plan(never);
  assert.deepEqual(
    [plan.stack, plan.uncovered[0]?.service, plan.uncovered[0]?.why],
    ['s3cret', 's3cret', 'a [redacted]'],
  );
  await assert.rejects(cleaned.cancel('r', never), {
    code: 'RUN_NOT_FOUND',
    message: 'no [redacted]',
    hint: '[redacted]',
    context: { run: 'r' },
    retryable: true,
  });
});
