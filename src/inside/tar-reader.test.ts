import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Entry } from './entry.ts';
import { readTar } from './tar-reader.ts';

interface Member {
  readonly name: string;
  readonly type?: string;
  readonly link?: string;
  readonly content?: string;
  /** A record of an extended header before it. */
  readonly extended?: string;
  /** What the header claims instead of the content's length. */
  readonly size?: number;
}

function block(text: string): Buffer {
  const bytes = Buffer.from(text);
  return Buffer.concat([bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)]);
}

function member({ name, type = '0', link = '', content = '', size = content.length, extended }: Member): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0);
  header.write('0000644\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${size.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write(type, 156);
  header.write(link, 157);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  const before = extended === undefined ? [] : [member({ name: './x', type: 'x', content: record(extended) })];
  return Buffer.concat([...before, header, block(content)]);
}

/** The length counts its own digits. */
function record(text: string): string {
  const length = text.length + 2;
  const digits = String(length + String(length).length).length;
  return `${length + digits} ${text}\n`;
}

const root: Member = { name: './', type: '5' };

function archive(...members: readonly Member[]): Buffer {
  const bytes = Buffer.concat(members.map(member));
  return Buffer.concat([bytes, Buffer.alloc(10_240 - ((bytes.length + 1024) % 10_240) + 1024)]);
}

/** In pieces of an odd size, as a pipe might give them. */
async function* pieces(bytes: Buffer, size = 700): AsyncGenerator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function read(bytes: Buffer): Promise<{ entries: Entry[]; forwarded: Buffer }> {
  const entries: Entry[] = [];
  const forwarded: Buffer[] = [];
  const reading = {
    onEntry: (entry: Entry) => void entries.push(entry),
    forward: (part: Buffer) => void forwarded.push(part),
  };
  try {
    await readTar(pieces(bytes), reading);
  } catch (error) {
    throw Object.assign(error as Error, { forwarded: Buffer.concat(forwarded) });
  }
  return { entries, forwarded: Buffer.concat(forwarded) };
}

describe('the reader of archives', () => {
  it('lists members with sizes and hashes, and hands on every byte', async () => {
    const bytes = archive(
      root,
      { name: './a', content: 'hello' },
      { name: './d/', type: '5' },
      { name: './d/h', type: '1', link: './a' },
    );
    const { entries, forwarded } = await read(bytes);
    assert.deepEqual(
      entries.map(({ path, type, size, to }) => [path, type, size, to]),
      [
        ['', 'folder', undefined, undefined],
        ['a', 'file', 5, undefined],
        ['d', 'folder', undefined, undefined],
        ['d/h', 'hard link', undefined, 'a'],
      ],
    );
    assert.equal(entries[1]?.sha256, '2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824');
    assert.ok(forwarded.equals(bytes));
  });

  const hostile: Readonly<Record<string, readonly Member[]>> = {
    'a step upwards': [{ name: './../up' }],
    'a step upwards inside': [{ name: './d/', type: '5' }, { name: './d/../../up' }],
    'an absolute path': [{ name: '/etc/cron.d/x' }],
    'no path below the folder': [{ name: 'x' }],
    'a file through a link': [{ name: './s', type: '2', link: '/tmp' }, { name: './s/through' }],
    'a file through a file': [{ name: './f', content: 'x' }, { name: './f/through' }],
    'a link in the place of a folder': [
      { name: './d/', type: '5' },
      { name: './d', type: '2', link: '/tmp' },
    ],
    'a hard link out': [{ name: './h', type: '1', link: './../../etc/passwd' }],
    'a hard link to an absolute path': [{ name: './h', type: '1', link: '/proc/self/environ' }],
    'a hard link to what is not there': [{ name: './h', type: '1', link: './later' }],
    'a name that comes twice': [{ name: './a' }, { name: './a' }],
    'the folder of a restore': [{ name: './.lifeboat-restore-abc', type: '5' }],
    'an unknown type': [{ name: './x', type: 'Z' }],
    'another name in a header that only tar knows': [{ name: './a', extended: 'GNU.sparse.name=../x' }],
    'a link with content': [{ name: './x', type: '2', link: 'y', content: 'z' }],
  };
  for (const [what, members] of Object.entries(hostile)) {
    it(`fault 89: refuses ${what}, and hands on none of it`, async () => {
      const harmless = members.slice(0, -1);
      await assert.rejects(
        read(archive(root, ...members)),
        (error: Error & { exitCode?: number; forwarded?: Buffer }) => {
          assert.equal(error.exitCode, 65, error.message);
          assert.equal(error.forwarded?.length, Buffer.concat([root, ...harmless].map(member)).length);
          return true;
        },
      );
    });
  }

  it('fault 89: refuses an archive that does not begin with its folder', async () => {
    await assert.rejects(read(archive({ name: './a' })), /must come first/);
  });

  it('refuses what is cut anywhere, or followed by more', async () => {
    const bytes = archive(root, { name: './a', content: 'hello' });
    for (const cut of [0, 100, 512, 700, 1024, 1200, 1536, 2048, bytes.length - 512, bytes.length - 1])
      await assert.rejects(read(bytes.subarray(0, cut)), /cut after/, `at ${cut}`);
    const followed = Buffer.concat([bytes, archive(root)]);
    await assert.rejects(read(followed), /something follows its end/);
    const damaged = Buffer.from(bytes);
    damaged[3] = 1;
    await assert.rejects(read(damaged), /checksum/);
  });
});
