import assert from 'node:assert/strict';
import { test } from 'node:test';
import { negotiate } from './negotiate.ts';

const engine =
  (ApiVersion: string, MinAPIVersion?: string, Version = '26.1') =>
  async () => ({
    Version,
    ApiVersion,
    ...(MinAPIVersion ? { MinAPIVersion } : {}),
  });
const agreed = async (...facts: Parameters<typeof engine>) => (await negotiate(engine(...facts), undefined)).apiVersion;

test('fault 17: the newest version that both sides know is spoken', async () => {
  assert.equal(await agreed('1.41'), '1.41');
  assert.equal(await agreed('1.45', '1.24'), '1.45');
  assert.equal(await agreed('1.99', '1.44'), '1.51');
});

test('fault 17: an Engine that is too old, and one that is too new, are refused with what to update', async () => {
  await assert.rejects(agreed('1.40', '1.12', '19.03'), { code: 'DOCKER_REFUSED', hint: /20\.10/ });
  await assert.rejects(agreed('1.24'), { message: /speaks API 1\.24, Lifeboat needs 1\.41/ });
  await assert.rejects(agreed('1.99', '1.52'), { message: /at least 1\.52/, hint: 'update Lifeboat' });
});

test('a version that a person forces is not argued with, unless the Engine does', async () => {
  assert.equal((await negotiate(engine('1.45'), 'v1.40')).apiVersion, '1.40');
  await assert.rejects(negotiate(engine('1.52', '1.44'), '1.41'), { hint: 'remove DOCKER_API_VERSION' });
});

test('Podman tells itself', async () => {
  const answer = { Version: '5.2', ApiVersion: '1.41', Components: [{ Name: 'Podman Engine' }] };
  assert.equal((await negotiate(async () => answer, undefined)).product, 'Podman');
});
