import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { openCodec } from '../../codecs/index.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { isRedirectable } from '../../domain/shell.ts';
import { plainBytes } from './plain-bytes.ts';

const plain = Buffer.alloc(3_000_000, 'abcdefg');
const never = new AbortController().signal;

async function encoded(name: string) {
  if (name === 'none') return { codecs: [], stored: plain };
  const codec = await openCodec(name);
  const step = codec.encode(never);
  assert.ok(step.input);
  step.input.end(plain);
  return { codecs: [codec], stored: await buffer(step.output) };
}

describe('plain bytes of stored ones', () => {
  for (const name of ['zstd', 'gzip', 'none']) {
    it(`are all there (${name})`, async () => {
      const { codecs, stored } = await encoded(name);
      const bytes = plainBytes(Readable.from([stored]), codecs, false, never);
      assert.ok((await buffer(bytes.stream)).equals(plain));
      assert.equal(await bytes.total(), plain.length);
    });

    it(`are counted to the end although the reader left (${name})`, async () => {
      const { codecs, stored } = await encoded(name);
      const bytes = plainBytes(Readable.from([stored]), codecs, false, never);
      for await (const _ of bytes.stream) break;
      assert.equal(await bytes.total(), plain.length);
    });
  }

  for (const isRedirected of [false, true]) {
    it(`fail with what broke the stored ones, ${isRedirected ? 'redirected' : 'read here'}`, async () => {
      const { codecs, stored } = await encoded('zstd');
      async function* breakingOff() {
        yield stored.subarray(0, stored.length / 2);
        throw new LifeboatError('STORE_UNAVAILABLE', 'the server is away');
      }
      const { stream } = plainBytes(Readable.from(breakingOff()), codecs, isRedirected, never);
      await using nowhere = await open('/dev/null', 'w');
      const reading = isRedirectable(stream) ? stream.writeTo(nowhere.fd, never) : buffer(stream);
      await assert.rejects(reading, { code: 'STORE_UNAVAILABLE' });
    });
  }

  it('fail for a reader and for one who left when the stored bytes are cut', async () => {
    const { codecs, stored } = await encoded('zstd');
    const cut = () => Readable.from([stored.subarray(0, stored.length - 3)]);
    await assert.rejects(buffer(plainBytes(cut(), codecs, false, never).stream));
    const left = plainBytes(cut(), codecs, false, never);
    for await (const _ of left.stream) break;
    await assert.rejects(left.total());
  });
});
