import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { test } from 'node:test';
import { createDigest, verified } from './digest.ts';

const text = Buffer.from('some bytes of a backup');
const sha256 = createHash('sha256').update(text).digest('hex');
const pieces = () => Readable.from([text.subarray(0, 5), text.subarray(5)]);

test('counts and hashes what flows through', async () => {
  const digest = createDigest();
  assert.throws(() => digest.result(), { code: 'INTERNAL' });
  await pipeline(pieces(), digest.stream, async (stream) => assert.deepEqual(await buffer(stream), text));
  assert.deepEqual(digest.result(), { bytes: text.length, sha256 });
  assert.equal(digest.bytes(), text.length);
});

test('verified bytes pass, with and without a hash', async () => {
  assert.deepEqual(await buffer(verified(pieces(), { bytes: text.length, sha256 })), text);
  assert.deepEqual(await buffer(verified(pieces(), { bytes: text.length })), text);
});

test('fault 30: too short, too long or other bytes fail at the end with ARTIFACT_CORRUPT', async () => {
  const other = Buffer.from(text).fill('x', 3, 4);
  for (const [source, message] of [
    [Readable.from([text.subarray(0, -1)]), /is cut: 21 of 22 bytes/],
    [Readable.from([]), /is cut: 0 of 22/],
    [Readable.from([text, Buffer.from('!')]), /is longer/],
    [Readable.from([other]), /SHA-256 differs/],
  ] as const) {
    await assert.rejects(buffer(verified(source, { bytes: text.length, sha256 })), {
      code: 'ARTIFACT_CORRUPT',
      message,
    });
  }
});

test('a failing source fails the verified stream with its own error', async () => {
  const source = new Readable({ read() {} });
  const read = buffer(verified(source, { bytes: 1 }));
  source.destroy(new Error('connection lost'));
  await assert.rejects(read, { message: 'connection lost' });
});

test('a verified stream that is not wanted any more closes its source', async () => {
  const source = new Readable({ read() {} });
  verified(source, { bytes: 1 }).destroy();
  await new Promise((resolve) => source.once('close', resolve));
});
