import assert from 'node:assert/strict';
import { test } from 'node:test';
import { testCodec } from '../../test/contracts/codec.ts';
import { createZstd } from './zstd.ts';

testCodec('zstd', async () => createZstd());
testCodec('zstd -1 with one thread', async () => createZstd({ level: 1, threads: 1 }));

test('refuses a level the program does not have', () => {
  for (const level of [0, 20, 2.5]) assert.throws(() => createZstd({ level }), { code: 'CONFIG_INVALID' });
});
