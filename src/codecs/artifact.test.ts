import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { openSync, writeFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { test } from 'node:test';
import { dumpLike, through } from '../../test/contracts/codec.ts';
import type { Artifact } from '../domain/manifest.ts';
import { openArtifact } from './artifact.ts';
import { decodeChain, encodeChain } from './chain.ts';
import { openCodec } from './index.ts';

const never = new AbortController().signal;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const plain = dumpLike(2_000_000);

async function stored(names: readonly string[], bytes = plain): Promise<{ artifact: Artifact; bytes: Buffer }> {
  const codecs = await Promise.all(names.map((name) => openCodec(name)));
  const encoded = await through(encodeChain(codecs, never), bytes);
  const artifact: Artifact = {
    name: 'shop',
    kind: 'database',
    file: 'shop.dump.zst',
    plainBytes: bytes.length,
    plainSha256: sha256(bytes),
    storedBytes: encoded.length,
    storedSha256: sha256(encoded),
    codecs: names.map((name) => ({ name })),
    facts: {},
    counts: [],
    byHand: '',
  };
  return { artifact, bytes: encoded };
}

const read = async (artifact: Artifact, bytes: Uint8Array) =>
  buffer(await openArtifact(artifact, async () => Readable.from([bytes]), never));

for (const names of [[], ['zstd'], ['gzip'], ['gzip', 'zstd'], ['zstd', 'gzip', 'zstd']]) {
  test(`reads back what the chain [${names}] stored`, async () => {
    const { artifact, bytes } = await stored(names);
    assert.ok((await read(artifact, bytes)).equals(plain));
  });
}

test('fault 30: a second frame that was cut off is noticed although the decoder is content', async () => {
  for (const name of ['zstd', 'gzip']) {
    const first = await stored([name]);
    const second = await stored([name], Buffer.from('the tail'));
    const both = Buffer.concat([first.bytes, second.bytes]);
    const all = Buffer.concat([plain, Buffer.from('the tail')]);
    const artifact = {
      ...first.artifact,
      plainBytes: all.length,
      plainSha256: sha256(all),
      storedBytes: both.length,
      storedSha256: sha256(both),
    };
    assert.ok((await read(artifact, both)).equals(all));
    await assert.rejects(read(artifact, first.bytes), { code: 'ARTIFACT_CORRUPT', message: /is cut/ });
  }
});

test('bytes after the end, which igzip and pigz overlook, are noticed', async () => {
  const { artifact, bytes } = await stored(['gzip']);
  await assert.rejects(read(artifact, Buffer.concat([bytes, Buffer.from('JUNK')])), { code: 'ARTIFACT_CORRUPT' });
});

test('a valid stream with other content than the manifest says is noticed', async () => {
  const { artifact } = await stored(['zstd']);
  const other = await stored(['zstd'], dumpLike(2_000_000));
  await assert.rejects(read(artifact, other.bytes), { code: 'ARTIFACT_CORRUPT' });
  const lie = { ...other.artifact, plainSha256: sha256(plain) };
  await assert.rejects(read(lie, other.bytes), { code: 'ARTIFACT_CORRUPT', message: /the content of/ });
});

test('a store that breaks off fails the plain stream with its error', async () => {
  const { artifact, bytes } = await stored(['gzip', 'zstd']);
  const cause = new Error('reset by peer');
  const broken = Readable.from(
    (async function* () {
      yield bytes.subarray(0, 1000);
      throw cause;
    })(),
  );
  await assert.rejects(buffer(await openArtifact(artifact, async () => broken, never)), cause);
});

test('closing the plain stream closes the stored one', async () => {
  const { artifact } = await stored(['gzip', 'zstd']);
  const source = new Readable({ read() {} });
  (await openArtifact(artifact, async () => source, never)).destroy();
  await new Promise((resolve) => source.once('close', resolve));
});

test('a codec nobody knows is refused by name', async () => {
  await assert.rejects(openCodec('lz5'), { code: 'CONFIG_INVALID', message: /"lz5"/, hint: /zstd, gzip/ });
});

test('a chain reads a descriptor, with and without codecs', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-chain-'));
  t.after(() => rm(folder, { recursive: true }));
  writeFileSync(join(folder, 'plain'), plain);
  for (const names of [[], ['zstd'], ['zstd', 'gzip']]) {
    const codecs = await Promise.all(names.map((name) => openCodec(name)));
    const encoded = await buffer(encodeChain(codecs, never, openSync(join(folder, 'plain'), 'r')).output);
    assert.ok((await through(decodeChain(codecs, never), encoded)).equals(plain));
  }
});

test('a failure in the middle of a chain reaches both of its ends', async () => {
  const [zstd, gzip] = [await openCodec('zstd'), await openCodec('gzip')];
  const step = decodeChain([gzip, zstd], never);
  const wrong = await through(zstd.encode(never), Buffer.from('this is no gzip'));
  await assert.rejects(through(step, wrong), { code: 'ARTIFACT_CORRUPT' });
});
