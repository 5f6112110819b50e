import assert from 'node:assert/strict';
import { test } from 'node:test';
import { LifeboatError } from '../domain/errors.ts';
import { s3Error } from './s3-error.ts';

const never = new AbortController().signal;
const failure = (name: string, status?: number, more: object = {}) =>
  Object.assign(new Error('what the server said'), { name, $metadata: { httpStatusCode: status }, ...more });
const told = (error: unknown) => s3Error(error, 'put a', 'bucket', never);

test('what passes is retryable, what does not is not', () => {
  const network = (code: string) => Object.assign(new Error(`connect ${code}`), { code });
  for (const error of [
    ...['SlowDown', 'InternalError', 'ServiceUnavailable', 'RequestTimeout', 'BadDigest'].map((name) =>
      failure(name, 400),
    ),
    ...[429, 500, 502, 503, 504].map((status) => failure('Unknown', status)),
    ...['ECONNRESET', 'ECONNREFUSED', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EPIPE'].map(network),
    failure('TimeoutError'),
    failure('RequestTimeTooSkewed', 403),
  ]) {
    assert.equal(told(error).retryable, true, told(error).message);
    assert.equal(told(error).code, 'STORE_UNAVAILABLE');
  }
  for (const error of [
    ...['AccessDenied', 'SignatureDoesNotMatch', 'InvalidAccessKeyId', 'ExpiredToken'].map((name) =>
      failure(name, 403),
    ),
    failure('NoSuchBucket', 404),
    failure('NotImplemented', 501),
    failure('InvalidArgument', 400),
    ...['DEPTH_ZERO_SELF_SIGNED_CERT', 'CERT_HAS_EXPIRED', 'ERR_TLS_CERT_ALTNAME_INVALID'].map(network),
    new TypeError('a defect of ours'),
  ]) {
    assert.equal(told(error).retryable, false, told(error).message);
    assert.equal(told(error).code, 'STORE_UNAVAILABLE');
  }
});

test('codes of the store contract', () => {
  assert.equal(told(failure('PreconditionFailed', 412)).code, 'OBJECT_EXISTS');
  assert.equal(told(failure('NoSuchKey', 404)).code, 'OBJECT_NOT_FOUND');
  assert.equal(told(failure('NotFound', 404)).code, 'OBJECT_NOT_FOUND');
  assert.equal(told(failure('QuotaExceeded', 403)).code, 'STORE_FULL');
  assert.equal(told(failure('Anything', 507)).code, 'STORE_FULL');
  const known = new LifeboatError('DUMP_INCOMPLETE', 'x');
  assert.equal(told(known), known);
});

test('an abort is told by its reason, whatever the client makes of it', () => {
  const reason = new LifeboatError('STALLED', 'no progress');
  assert.equal(s3Error(failure('AbortError'), 'put a', 'bucket', AbortSignal.abort(reason)), reason);
  assert.equal(s3Error(failure('SlowDown', 503), 'put a', 'bucket', AbortSignal.abort()).code, 'CANCELLED');
});

test('every hint says what to do', () => {
  const ago = { $response: { headers: { date: new Date(Date.now() + 120_000).toUTCString() } } };
  for (const [error, hint] of [
    [failure('AccessDenied', 403), /lacks a right on "bucket".*s3:PutObject.*object lock/],
    [failure('Forbidden', 403), /lacks a right/],
    [failure('NoSuchBucket', 404), /create the bucket "bucket"/],
    [failure('ExpiredToken', 400), /renew/],
    [failure('RequestTimeTooSkewed', 403, ago), /this machine is 1\d\d s behind the server/],
    [failure('RequestTimeTooSkewed', 403), /the clocks differ: set/],
    [failure('PermanentRedirect', 301), /region/],
    [failure('InvalidObjectState', 403), /archive tier/],
    [failure('CredentialsProviderError'), /no credentials were found/],
    [new Error('Region is missing'), /region=/],
  ] as const) {
    assert.match(told(error).hint ?? '', hint);
  }
});

test('the message names the deed, the kind and what the server said, once each', () => {
  assert.equal(
    told(failure('AccessDenied', 403)).message,
    'cannot put a in bucket bucket: AccessDenied: what the server said',
  );
  const bare = Object.assign(new Error('UnknownError'), { name: 'NoSuchBucket', $metadata: { httpStatusCode: 404 } });
  assert.equal(told(bare).message, 'cannot put a in bucket bucket: NoSuchBucket');
  const silent = Object.assign(new Error('UnknownError'), { name: 'Error', $metadata: { httpStatusCode: 418 } });
  assert.equal(told(silent).message, 'cannot put a in bucket bucket: status 418');
});
