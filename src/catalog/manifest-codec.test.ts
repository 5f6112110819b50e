import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../test/samples/manifest.ts';
import { decodeManifest, encodeManifest, manifestHash } from './manifest-codec.ts';

const where = 'shop/db/postgres/x/manifest.json';

test('a manifest comes back as it was', () => {
  const manifest = sampleManifest({ previous: 'a'.repeat(64) });
  assert.deepEqual(decodeManifest(encodeManifest(manifest), where), manifest);
});

test('the same manifest has the same bytes whatever the order of its keys', () => {
  const manifest = sampleManifest();
  const shuffled = Object.fromEntries(Object.entries(manifest).toReversed()) as typeof manifest;
  assert.ok(encodeManifest(shuffled).equals(encodeManifest(manifest)));
  const text = encodeManifest(manifest).toString();
  assert.match(text, /^\{\n {2}"artifacts": \[\n/);
  assert.ok(text.endsWith('}\n'));
  assert.equal(manifestHash(encodeManifest(shuffled)), manifestHash(encodeManifest(manifest)));
});

test('damage is told with its place and reason', () => {
  const bytes = encodeManifest(sampleManifest());
  const json = bytes.toString();
  for (const [damaged, message] of [
    [bytes.subarray(0, 200), /x\/manifest\.json cannot be read: it is no JSON/],
    [Buffer.alloc(0), /no JSON/],
    [Buffer.from([0xff, 0xfe, 0x7b]), /no JSON/],
    [Buffer.from('[]'), /expected object/],
    [Buffer.from(json.replace('"engine": "postgres"', '"engine": 7')), /expected string.*engine/],
    [Buffer.from(json.replace('"artifacts": [', '"artifacts": "x", "was": [')), /artifacts/],
  ] as const) {
    assert.throws(() => decodeManifest(damaged, where), { code: 'ARTIFACT_CORRUPT', message });
  }
});

test('a manifest of a newer format says so', () => {
  const newer = Buffer.from(JSON.stringify({ format: 2, everything: 'else is different' }));
  assert.throws(() => decodeManifest(newer, where), { message: /format 2/, hint: /newer/ });
});
