import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { access, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, test } from 'node:test';
import { dumpLike, through } from '../../../test/contracts/codec.ts';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import { encodeChain } from '../../codecs/chain.ts';
import { openCodec } from '../../codecs/index.ts';
import type { Artifact } from '../../domain/manifest.ts';
import { isOnDisk, type Scratch } from '../../domain/shell.ts';
import { unpacked } from './on-disk.ts';

const never = new AbortController().signal;
const folder = await mkdtemp(join(tmpdir(), 'lifeboat-unpack-'));
after(() => rm(folder, { recursive: true }));
const plain = dumpLike(3_000_000);
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');

/** A backup of one artifact, unpacked to `path`. */
async function backup(codec: string, path: string, damage = (bytes: Buffer) => bytes) {
  const encoded = await through(encodeChain([await openCodec(codec)], never), plain);
  const artifact: Artifact = {
    ...{
      name: 'shop',
      kind: 'database',
      file: 'shop.dump',
      codecs: [{ name: codec }],
      facts: {},
      counts: [],
      byHand: '',
    },
    ...{ plainBytes: plain.length, storedBytes: encoded.length, storedSha256: sha256(encoded) },
  };
  const mount = { mount: { type: 'volume', target: '/x', readOnly: true }, target: '/x', readOnly: true } as const;
  const dispose = async () => {
    if (path.startsWith(folder)) await rm(path);
  };
  const scratch: Scratch = { path, mount, file: '/x/plain', user: '', [Symbol.asyncDispose]: dispose };
  const source = unpacked({ get: async () => Readable.from([damage(Buffer.from(encoded))]) }, sampleManifest(), {
    scratch: async () => scratch,
  });
  return { artifact, source };
}

for (const codec of ['zstd', 'gzip']) {
  test(`an artifact of ${codec} is decoded into a file, and removed with it`, async () => {
    const path = join(folder, codec);
    const { artifact, source } = await backup(codec, path);
    {
      await using unpackedHere = source;
      assert.equal(await unpackedHere.unpack(artifact, never), true);
      assert.ok((await readFile(path)).equals(plain));
      const opened = await unpackedHere.open(artifact, never);
      assert.ok(isOnDisk(opened));
      assert.ok((await buffer(opened)).equals(plain));
    }
    await assert.rejects(access(path));
  });

  test(`fault 50: an artifact of ${codec} for which the disk is full comes from the destination`, async () => {
    const { artifact, source } = await backup(codec, '/dev/full');
    assert.equal(await source.unpack(artifact, never), false);
    const opened = await source.open(artifact, never);
    assert.ok(!isOnDisk(opened));
    assert.ok((await buffer(opened)).equals(plain));
  });

  test(`fault 30: a damaged artifact of ${codec} gives no file, and its reader the reason`, async () => {
    const path = join(folder, `damaged-${codec}`);
    const flip = (bytes: Buffer) => {
      bytes[bytes.length - 20] = (bytes.at(-20) ?? 0) ^ 1;
      return bytes;
    };
    const { artifact, source } = await backup(codec, path, flip);
    assert.equal(await source.unpack(artifact, never), false);
    await assert.rejects(access(path));
    await assert.rejects(buffer(await source.open(artifact, never)), { code: 'ARTIFACT_CORRUPT' });
  });
}
