import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { suite, test } from 'node:test';
import type { Codec, CodecStep } from '../../src/codecs/codec.ts';

const never = new AbortController().signal;

/** Runs the bytes through a step; rejects when either side of it fails. */
export async function through(step: CodecStep, bytes: Uint8Array | Readable): Promise<Buffer> {
  assert.ok(step.input);
  const source = bytes instanceof Readable ? bytes : Readable.from(bytes.length === 0 ? [] : [bytes]);
  const [read, fed] = await Promise.allSettled([buffer(step.output), pipeline(source, step.input)]);
  if (read.status === 'rejected') throw read.reason;
  if (fed.status === 'rejected') throw fed.reason;
  return read.value;
}

/** Bytes that compress about as well as a dump does. */
export function dumpLike(bytes: number): Buffer {
  const words = Array.from({ length: 500 }, () => randomBytes(6).toString('hex'));
  const line = () => Array.from({ length: 8 }, () => words[Math.floor(Math.random() * words.length)]).join('\t');
  const page = Array.from({ length: 4000 }, line).join('\n');
  return Buffer.alloc(bytes, page);
}

/** What every codec must do. */
export function testCodec(name: string, open: () => Promise<Codec>): void {
  suite(`codec ${name}`, () => {
    for (const [what, bytes] of [
      ['an empty stream', Buffer.alloc(0)],
      ['one byte', Buffer.from('x')],
      ['bytes that do not compress', randomBytes(300_000)],
      ['a dump of 8 MB', dumpLike(8_000_000)],
    ] as const) {
      test(`gives back ${what}`, async () => {
        const codec = await open();
        const stored = await through(codec.encode(never), bytes);
        assert.ok((await through(codec.decode(never), stored)).equals(bytes));
      });
    }

    test('is decoded by the command it names', async () => {
      const codec = await open();
      const plain = dumpLike(1_000_000);
      const stored = await through(codec.encode(never), plain);
      assert.ok(execFileSync('sh', ['-c', codec.decodeByHand], { input: stored, maxBuffer: 2 ** 24 }).equals(plain));
    });

    test('reads a descriptor directly', async () => {
      const codec = await open();
      const folder = await mkdtemp(join(tmpdir(), 'lifeboat-codec-'));
      const plain = dumpLike(3_000_000);
      writeFileSync(join(folder, 'plain'), plain);
      const fd = openSync(join(folder, 'plain'), 'r');
      const step = codec.encode(never, fd);
      closeSync(fd);
      assert.equal(step.input, undefined);
      const stored = await buffer(step.output);
      assert.ok((await through(codec.decode(never), stored)).equals(plain));
      await rm(folder, { recursive: true });
    });

    test('refuses damaged bytes: cut anywhere, flipped, not its own, nothing at all', async () => {
      const codec = await open();
      const stored = await through(codec.encode(never), dumpLike(2_000_000));
      const flipped = Buffer.from(stored);
      flipped[stored.length >> 1] = (flipped[stored.length >> 1] ?? 0) ^ 0x10;
      const cuts = [0, 1, 10, stored.length >> 1, stored.length - 9, stored.length - 1];
      for (const damaged of [...cuts.map((end) => stored.subarray(0, end)), flipped, randomBytes(5000)]) {
        await assert.rejects(through(codec.decode(never), damaged), { code: 'ARTIFACT_CORRUPT' });
      }
    });

    test('where it decodes into a descriptor, it tells how much that was and refuses damaged bytes', async () => {
      const codec = await open();
      const { decodeTo } = codec;
      // Only gzip may lack it, where nothing but its own tools are there: these do not tell.
      if (!decodeTo) return assert.equal(codec.extension, 'gz');
      const plain = dumpLike(2_000_000);
      const stored = await through(codec.encode(never), plain);
      const folder = await mkdtemp(join(tmpdir(), 'lifeboat-codec-'));
      const file = join(folder, 'plain');
      const decode = async (bytes: Buffer) => {
        const fd = openSync(file, 'w');
        const sink = decodeTo(fd, never);
        closeSync(fd);
        sink.input.on('error', () => {});
        sink.input.end(bytes);
        return sink.done;
      };
      assert.equal(await decode(stored), plain.length);
      assert.ok(readFileSync(file).equals(plain));
      const flipped = Buffer.from(stored);
      flipped[stored.length >> 1] = (flipped[stored.length >> 1] ?? 0) ^ 0x10;
      const cuts = [0, 1, 10, stored.length >> 1, stored.length - 9, stored.length - 1];
      for (const damaged of [...cuts.map((end) => stored.subarray(0, end)), flipped, randomBytes(5000)])
        await assert.rejects(decode(damaged), { code: 'ARTIFACT_CORRUPT' });
      await rm(folder, { recursive: true });
    });

    test('a source that fails while encoding never yields a complete output', async () => {
      const codec = await open();
      const source = Readable.from(
        (async function* () {
          yield dumpLike(1_000_000);
          throw new Error('the dump failed');
        })(),
      );
      await assert.rejects(through(codec.encode(never), source), { message: 'the dump failed' });
    });

    test('an abort ends both directions', async () => {
      const codec = await open();
      for (const start of [codec.encode, codec.decode]) {
        const abort = new AbortController();
        const run = through(start(abort.signal), new Readable({ read() {} }));
        setTimeout(() => abort.abort(), 30);
        await assert.rejects(run, { code: 'CANCELLED' });
      }
    });

    test('many at once do not disturb each other', async () => {
      const codec = await open();
      const hash = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
      const plain = Array.from({ length: 12 }, (_, i) => dumpLike(50_000 * (i + 1)));
      const back = await Promise.all(
        plain.map(async (bytes) => through(codec.decode(never), await through(codec.encode(never), bytes))),
      );
      assert.deepEqual(back.map(hash), plain.map(hash));
    });
  });
}
