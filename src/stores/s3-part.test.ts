import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { createMeter } from './body.ts';
import { cutIntoParts } from './s3-part.ts';

const never = new AbortController().signal;
const mib = 1024 ** 2;

test('parts are of equal size but the last, and hold every byte, whatever the chunks', async () => {
  const partBytes = 2 * mib;
  for (const length of [0, 1, 4096, mib, mib + 1, partBytes - 1, partBytes, partBytes + 1, 5 * partBytes + 77]) {
    const body = randomBytes(length);
    for (const chunkBytes of [37_123, 65_536, 3 * partBytes + 5, undefined]) {
      const meter = createMeter();
      const { parts, recycle } = cutIntoParts(bodyOf(body, chunkBytes), 'key', partBytes, meter, never);
      const copies: Buffer[] = [];
      for await (const part of parts) {
        copies.push(Buffer.from(part));
        recycle(part);
      }
      assert.ok(Buffer.concat(copies).equals(body), `${length} bytes in chunks of ${chunkBytes}`);
      assert.ok(copies.length >= 1 && copies.slice(0, -1).every((part) => part.length === partBytes));
      assert.deepEqual(meter.result(), { bytes: length, sha256: createHash('sha256').update(body).digest('hex') });
    }
  }
});

test('chunks may grow', async () => {
  const body = randomBytes(900_000);
  const ends = [10, 80, 600, 4000, 30_000, 200_000, 900_000];
  const chunks = function* () {
    for (const [i, end] of ends.entries()) yield body.subarray(ends[i - 1] ?? 0, end);
  };
  const source = Readable.from(chunks(), { objectMode: false });
  const [part] = await Array.fromAsync(cutIntoParts(source, 'key', 5 * mib, createMeter(), never).parts);
  assert.ok(part?.equals(body));
});

test('a part that was not given back is not written over', async () => {
  const { parts } = cutIntoParts(bodyOf(randomBytes(6 * mib), 65_536), 'key', 2 * mib, createMeter(), never);
  const kept: { part: Buffer; copy: Buffer }[] = [];
  for await (const part of parts) kept.push({ part, copy: Buffer.from(part) });
  assert.ok(kept.every(({ part, copy }) => part.equals(copy)));
});

test('memory that was given back is used again', async () => {
  const { parts, recycle } = cutIntoParts(bodyOf(randomBytes(20 * mib), 65_536), 'key', 2 * mib, createMeter(), never);
  const memories = new Set<ArrayBufferLike>();
  for await (const part of parts) {
    memories.add(part.buffer);
    recycle(part);
  }
  assert.ok(memories.size <= 3, `${memories.size} buffers for 10 parts`);
});

function bodyOf(body: Buffer, chunkBytes: number | undefined): Readable | Uint8Array {
  if (chunkBytes === undefined) return body;
  const chunks = function* () {
    for (let at = 0; at < body.length; at += chunkBytes) yield body.subarray(at, at + chunkBytes);
  };
  return Readable.from(chunks(), { objectMode: false });
}
