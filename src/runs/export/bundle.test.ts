import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { tarOf } from './bundle.ts';

const never = new AbortController().signal;
const mtime = new Date('2026-11-21T03:00:00Z');

/** What GNU tar lists of these bytes; it may complain of their end. */
function listed(tar: Readable): Promise<string> {
  const child = spawn('tar', ['-tvf', '-'], { stdio: ['pipe', 'pipe', 'ignore'] });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  child.stdin.on('error', () => tar.destroy());
  tar.on('error', () => child.stdin.end());
  tar.pipe(child.stdin);
  return new Promise((resolve) => child.on('close', () => resolve(said)));
}

async function* entryOf(name: string, size: number, body: Readable) {
  yield { name, size, mtime, body };
}

test('an entry of more than 8 GiB has its size, and long names their whole length', async () => {
  const size = 9 * 1024 ** 3;
  const name = `${'stack'.repeat(10)}/${'service'.repeat(12)}/postgres/20261121-030000-k3f9a2/${'shop'.repeat(30)}.dump.zst`;
  async function* begin() {
    yield Buffer.alloc(100_000);
    throw new Error('enough for its header');
  }
  const said = await listed(tarOf(entryOf(name, size, Readable.from(begin())), never));
  assert.match(said, new RegExp(` ${size} .* ${name}\n`));
});

test('entries that are read to their end make a whole tar', async () => {
  async function* two() {
    yield* entryOf('a/b.txt', 3, Readable.from([Buffer.from('abc')]));
    yield* entryOf('c.txt', 0, Readable.from([]));
  }
  assert.match(await listed(tarOf(two(), never)), /-rw------- 0\/0 +3 .* a\/b\.txt\n.* 0 .* c\.txt\n/);
});
