import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLifeboatError } from '../../../domain/errors.ts';
import { RdbCheck } from './check.ts';
import { Crc64 } from './crc64.ts';

/** Written by Redis 8.0.2: every kind of encoding that fits, one stream with a group, one function, databases 0 and 3. */
const real = Buffer.from(
  'UkVESVMwMDEy+glyZWRpcy12ZXIFOC4wLjL6CnJlZGlzLWJpdHPAQPoFY3RpbWXC81wBa/oIdXNlZC1tZW3CSJtWAPoOcmVwbC1zdHJlYW0tZGLAA/oH' +
    'cmVwbC1pZCgwODc1MTY0ZGIyYTczNDkyNmRkODc5ZjM1MDBkZmQxZDk0NDg0NmUx+gtyZXBsLW9mZnNldMGfBPoIYW9mLWJhc2XAAPVAQiMhbHVhIG5h' +
    'bWU9bApyZWRpcy5yZWdpc3Rlcl9mdW5jdGlvbignZicsIGZ1bmN0aW9uKCkgcmV0dXJuIDEgZW5kKf4A+wkBEQF6DAwAAAACAIFhAgEB/xUBcwEQAAAA' +
    'AAAAAAEAAAAAAAAAAR0dAAAACgABAQABAQGBZgIAAQIBAAEAAYF2AgQB/wEBAQEBAAABAQFnAQEBAQAAAAAAAAABAAAAAAAAAAHRFlP9oQEAAAEBBWFs' +
    'aWNl0RZT/aEBAADRFlP9oQEAAAEAAAAAAAAAAQAAAAAAAAABEgRsaXN0AQINDQAAAAIAgWECgWIC/xkBaNDfwyy7AwAAFhYAAAADAIFhAgEB9NDfwyy7' +
    'AwAACf/8e9jDLLsDAAAABHNvb24BeAAEdGV4dAdncsO8w59lAAZudW1iZXLBOTALBGludHMOAgAAAAMAAAABAAIAAwAABGxvbmfDCUDIATAw4LsAATAw' +
    '/gP7AQAABW90aGVyAXn/u00UBfvC9Rc=',
  'base64',
);

function check(bytes: Uint8Array, size = bytes.length) {
  const rdb = new RdbCheck();
  for (let at = 0; at < bytes.length; at += size) rdb.take(Buffer.from(bytes.subarray(at, at + size)));
  return rdb.end();
}

const isRefused = (error: unknown) => isLifeboatError(error, 'PROOF_FAILED');

/** A file of our own making around these bytes, with its checksum. */
function fileOf(...parts: readonly (string | readonly number[])[]): Buffer {
  const body = Buffer.concat([
    ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part) : Buffer.from(part))),
    Buffer.from([0xff]),
  ]);
  return Buffer.concat([body, checksumOf(body)]);
}

/** Bit by bit, as the definition says: not the way the code under test goes. */
function checksumOf(bytes: Uint8Array): Buffer {
  let crc = 0n;
  for (const byte of bytes) {
    crc ^= BigInt(byte);
    for (let bit = 0; bit < 8; bit += 1) crc = crc & 1n ? (crc >> 1n) ^ 0x95ac9329ac4bc9b5n : crc >> 1n;
  }
  const out = Buffer.alloc(8);
  out.writeBigUInt64LE(crc);
  return out;
}

const text = (value: string) => [value.length, ...Buffer.from(value)];

describe('checking an RDB', () => {
  it('reads a whole file in pieces of any size', () => {
    for (const size of [1, 2, 3, 7, 8, 9, 10, 100, real.length]) {
      const { content, bytes, unsummed } = check(real, size);
      assert.equal(bytes, real.length);
      assert.equal(unsummed, false);
      assert.equal(content.version, 12);
      assert.equal(content.unknown, undefined);
      assert.equal(content.libraries, 1);
      assert.equal(content.aux.get('redis-ver'), '8.0.2');
      assert.equal(content.aux.get('ctime'), '1795251443');
      const counts = Array.from(content.databases, ([number, { keys, expires, withFieldExpiry }]) => ({
        number,
        keys,
        expires,
        withFieldExpiry,
      }));
      assert.deepEqual(counts, [
        { number: 0, keys: 9, expires: 1, withFieldExpiry: 1 },
        { number: 3, keys: 1, expires: 0, withFieldExpiry: 0 },
      ]);
    }
  });

  it('refuses a file cut at any byte', () => {
    for (let cut = 0; cut < real.length; cut += 1) {
      assert.throws(() => check(real.subarray(0, cut)), isRefused, `cut at byte ${cut}`);
    }
  });

  it('refuses a file with any one bit flipped', () => {
    for (let bit = 0; bit < real.length * 8; bit += 1) {
      const flipped = Buffer.from(real);
      flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      assert.throws(() => check(flipped, 50), isRefused, `bit ${bit}`);
    }
  });

  it('refuses what follows the end: the 40 bytes of `redis-cli --rdb -`, or one', () => {
    const mark = Buffer.from('0123456789abcdef0123456789abcdef01234567');
    for (const after of [mark, Buffer.from([0]), Buffer.from([0xff]), real]) {
      const longer = Buffer.concat([real, after]);
      for (const size of [1, 7, longer.length]) assert.throws(() => check(longer, size), isRefused);
    }
  });

  it('takes a file without checksum, and says so; its cuts are noticed all the same', () => {
    const unsummed = Buffer.concat([real.subarray(0, -8), Buffer.alloc(8)]);
    assert.equal(check(unsummed).unsummed, true);
    for (let cut = 0; cut < unsummed.length; cut += 1) {
      assert.throws(() => check(unsummed.subarray(0, cut)), isRefused, `cut at byte ${cut}`);
    }
  });

  it('refuses what is no RDB', () => {
    for (const bytes of [
      '',
      'REDIS',
      'PGDMP0012xxxxxxxxxxxxxxxxx',
      'REDIS00xx'.padEnd(40),
      '*1\r\n$4\r\nPING\r\n'.repeat(9),
    ]) {
      assert.throws(() => check(Buffer.from(bytes)), isRefused, bytes);
    }
  });

  it('takes an empty data set', () => {
    assert.equal(check(fileOf('REDIS0012')).content.databases.get(0)?.keys, 0);
    assert.equal(check(fileOf('VALKEY080')).content.version, 80);
  });

  it('passes the encodings of older servers', () => {
    const file = fileOf(
      'REDIS0009',
      [0xfe, 0x00, 0xfd, 1, 2, 3, 4, 0, ...text('old expiry'), ...text('x')],
      [0xf8, 0x40, 0x64, 0xf9, 0x05, 0, ...text('idle and frequency'), 0xc0, 7],
      [3, ...text('sorted set of text'), 2, ...text('a'), 1, 0x31, ...text('b'), 254],
      [1, ...text('list'), 2, ...text('a'), ...text('b'), 4, ...text('hash'), 1, ...text('f'), ...text('v')],
      [14, ...text('quicklist'), 1, ...text('packed'), 10, ...text('ziplist'), ...text('packed')],
      [15, ...text('stream'), 0, 0, 0, 0, 1, ...text('group'), 1, 1, 1, ...new Array<number>(24).fill(0), 0x40, 0xff],
      [1, ...text('consumer'), ...new Array<number>(8).fill(0), 1, ...new Array<number>(16).fill(0)],
      [0, ...text('wide'), 0x80, 0, 0, 0, 1, 0x78, 0, ...text('wider'), 0x81, 0, 0, 0, 0, 0, 0, 0, 1, 0x78],
    );
    for (const size of [1, 5, file.length]) {
      const { content } = check(file, size);
      assert.equal(content.unknown, undefined);
      assert.equal(content.databases.get(0)?.keys, 10);
    }
  });

  it('counts the keys of a module and names its data', () => {
    const type = [0x81, 0x82, 0xb6, 0xa9, 0x85, 0xd6, 0xad, 0x68, 0x12];
    const parts = [
      1,
      5,
      2,
      0x81,
      255,
      255,
      255,
      255,
      255,
      255,
      255,
      255,
      3,
      0,
      0,
      0,
      0,
      4,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      5,
      ...text('x'),
      0,
    ];
    const { content } = check(
      fileOf('REDIS0012', [0xf7, ...type, 2, 1, ...parts], [7, ...text('g'), ...type, ...parts]),
      3,
    );
    assert.deepEqual([...content.moduleTypes], ['graphdata']);
    assert.equal(content.databases.get(0)?.modules.get('graphdata'), 1);
  });

  it('leaves a later format to its checksum, and says what it did not know', () => {
    const later = fileOf('REDIS0014', [0xfe, 0x00, 0, ...text('a'), ...text('b'), 27, ...text('new'), 1, 2, 3, 4, 5]);
    assert.match(check(later).content.unknown ?? '', /type 27 at byte 16/);
    for (let cut = 0; cut < later.length; cut += 1) assert.throws(() => check(later.subarray(0, cut)), isRefused);
    const flipped = Buffer.from(later);
    flipped[20] = 9;
    assert.throws(() => check(flipped), isRefused);
  });

  it('still wants the end mark of a later format that has no checksum', () => {
    const later = Buffer.concat([Buffer.from('REDIS0014'), Buffer.from([27, 1, 2, 3, 4, 5, 0xff]), Buffer.alloc(8)]);
    assert.equal(check(later).unsummed, true);
    for (let cut = 0; cut < later.length; cut += 1) assert.throws(() => check(later.subarray(0, cut)), isRefused);
    assert.throws(() => check(Buffer.concat([later, Buffer.alloc(1)])), isRefused);
  });

  it('refuses a length that cannot be before it reads on', () => {
    const rdb = new RdbCheck();
    assert.throws(() => rdb.take(Buffer.from([...Buffer.from('REDIS0012'), 1, 1, 0x61, 0xc3])), isRefused);
  });

  it('needs no more memory for a big value', () => {
    const chunk = Buffer.alloc(1024 * 1024, 'x');
    const rdb = new RdbCheck();
    const size = Buffer.alloc(4);
    size.writeUInt32BE(256 * chunk.length);
    rdb.take(Buffer.from([...Buffer.from('REDIS0012'), 0, ...text('big'), 0x80, ...size]));
    const before = process.memoryUsage().rss;
    for (let i = 0; i < 256; i += 1) rdb.take(chunk);
    assert.ok(process.memoryUsage().rss - before < 64 * chunk.length);
    rdb.take(Buffer.from([0xff, ...Buffer.alloc(8)]));
    assert.equal(rdb.end().content.databases.get(0)?.keys, 1);
  });
});

describe('the checksum', () => {
  it('is CRC-64 as Jones has it', () => {
    const crc = new Crc64();
    crc.update(Buffer.from('123456789'));
    assert.ok(crc.matches(Buffer.from('cad9b8c414d9c6e9', 'hex')));
  });

  it('is the same however the bytes are cut', () => {
    const bytes = Buffer.from(Array.from({ length: 1000 }, (_, i) => (i * 7919) & 255));
    for (let cut = 0; cut <= 40; cut += 1) {
      const crc = new Crc64();
      crc.update(bytes.subarray(0, cut));
      crc.update(bytes.subarray(cut));
      assert.ok(crc.matches(checksumOf(bytes)));
    }
  });
});
