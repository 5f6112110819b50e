import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { Duplex } from 'node:stream';
import { test } from 'node:test';
import { openSession } from './session.ts';

/** A frame of standard output, as the Engine sends it. */
function frame(bytes: Buffer): Buffer {
  const header = Buffer.alloc(8);
  header[0] = 1;
  header.writeUInt32BE(bytes.length, 4);
  return Buffer.concat([header, bytes]);
}

test('an answer is whole although its characters came in pieces', async () => {
  const answer = Buffer.from('Müller, Łódź, 日本\n');
  const client = new Duplex({
    read() {},
    write(_asked, _encoding, callback) {
      for (const byte of answer) this.push(frame(Buffer.from([byte])));
      this.push(frame(Buffer.from('done\n')));
      callback();
    },
  });
  await using session = openSession({
    socket: client as Socket,
    title: 'psql',
    preamble: '',
    check: async () => {},
    dispose: async () => {},
  });
  assert.equal(await session.ask('SELECT names', 'done'), answer.toString().trimEnd());
});
