import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { gunzipSync, gzipSync, zstdCompressSync, zstdDecompressSync } from 'node:zlib';
import { type Home, makeHome, type SmallStack, startSmallStack } from '../support/daemon.ts';

const codecs = {
  zstd: { pack: zstdCompressSync, unpack: zstdDecompressSync },
  gzip: { pack: gzipSync, unpack: gunzipSync },
} as const;

describe('a stored artifact that ends with a whole frame, too early', { concurrency: false }, () => {
  let stack: SmallStack;
  before(async () => {
    stack = await startSmallStack();
  });
  after(() => stack[Symbol.asyncDispose]());

  const rows = () => stack.psql('SELECT count(*) FROM orders');
  const find = async (home: Home, name: RegExp) => {
    const root = join(home.folder, 'backups');
    const found = (await readdir(root, { recursive: true })).filter((path) => !path.includes('latest/'));
    const path = found.find((each) => name.test(each));
    assert.ok(path, `${name} in ${found}`);
    return join(root, path);
  };

  for (const [codec, { pack, unpack }] of Object.entries(codecs)) {
    it(`fault 30: is refused by verify and restore although ${codec} is content with it`, async () => {
      await using home = await makeHome(stack.project, { LIFEBOAT_CODEC: codec });
      const made = await home.lifeboat(['backup', 'db']);
      assert.equal(made.code, 0, made.stderr);
      await stack.psql("INSERT INTO orders VALUES (-1, 'later')");
      const before = await rows();
      const path = await find(home, /shop\.dump\.(zst|gz)$/);
      const plain = unpack(await readFile(path));
      const [first, second] = [plain.subarray(0, plain.length >> 1), plain.subarray(plain.length >> 1)].map((part) =>
        pack(part),
      );
      assert.ok(first && second);

      // Two whole frames are one artifact, as the manifest has it: what fails below fails for what is missing.
      const manifestPath = await find(home, /\/manifest\.json$/);
      const manifest = await readFile(manifestPath, 'utf8');
      const holding = async (bytes: Buffer) => {
        const told = JSON.parse(manifest) as {
          artifacts: { name: string; storedBytes: number; storedSha256: string }[];
        };
        for (const artifact of told.artifacts.filter(({ name }) => name === 'shop')) {
          artifact.storedBytes = bytes.length;
          artifact.storedSha256 = createHash('sha256').update(bytes).digest('hex');
        }
        await writeFile(path, bytes);
        await writeFile(manifestPath, JSON.stringify(told));
      };
      await holding(Buffer.concat([first, second]));
      const whole = await home.lifeboat(['verify', 'db']);
      assert.equal(whole.code, 0, whole.stdout + whole.stderr);

      const refused = async (why: RegExp) => {
        const verify = await home.lifeboat(['verify', 'db']);
        assert.equal(verify.code, 20, verify.stdout + verify.stderr);
        assert.match(verify.stdout, why);
        const restore = await home.lifeboat(['restore', 'db', '--yes', '--no-safety-backup']);
        assert.equal(restore.code, 20, restore.stdout + restore.stderr);
        assert.equal(await rows(), before, 'nothing was touched');
      };
      await writeFile(path, first);
      await refused(/is cut: \d+ of \d+ bytes/);
      // Whoever cut it was thorough: only the length of the content is left to tell.
      await holding(first);
      assert.ok(unpack(first).equals(plain.subarray(0, plain.length >> 1)), 'the codec notices nothing');
      await refused(/is cut|does not accept/);
    });
  }
});
