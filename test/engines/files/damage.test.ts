import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { before, describe, it } from 'node:test';
import { LifeboatError } from '../../../src/domain/errors.ts';
import type { Manifest } from '../../../src/domain/manifest.ts';
import type { Shell } from '../../../src/domain/shell.ts';
import { files } from '../../../src/engines/files/index.ts';
import type { FilesOptions } from '../../../src/engines/files/options.ts';
import { artifactsOf, type Dumped, dumpAll, manifestOf, plainOf, silent } from '../../contracts/engine-backup.ts';
import { type ContainerOptions, docker, runId, shellOf, startContainer } from '../../support/testbed.ts';
import { app, inApp } from './tree.ts';

const signal = () => AbortSignal.timeout(120_000);
const defaults = files.options.parse({});
let image: string;
before(async () => {
  image = await app();
});

const start = (options: ContainerOptions = {}) =>
  startContainer(image, {
    args: ['sleep', 'infinity'],
    run: ['--init', '--stop-timeout', '1'],
    volumes: ['/data'],
    ...options,
  });

async function backUp(shell: Shell, options: FilesOptions = defaults) {
  const survey = await files.survey(shell, options, signal());
  const dumped = await dumpAll(files, shell, survey, options, signal());
  const reviewed = dumped.map((each) => each.reviewed);
  const review = await files.review(shell, survey, reviewed, options, signal());
  return { survey, dumped, reviewed, review, manifest: manifestOf(files, shell, survey, artifactsOf(dumped)) };
}

function restore(shell: Shell, manifest: Manifest, dumped: readonly Dumped[], suffix = 'dmg001') {
  const from = {
    manifest,
    open: async (artifact: Manifest['artifacts'][number]) => Readable.from([plainOf(dumped, artifact)]),
  };
  return files.restore(shell, from, { suffix }, defaults, silent, signal());
}

const refused = (code: string, message: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LifeboatError, String(error));
  assert.equal(error.code, code, error.message);
  assert.match(error.message, message);
  return true;
};

describe('files that are damaged, change or do not fit', { concurrency: false }, () => {
  it('fault 29: an archive that was cut between two members is refused, and the live files stay', async () => {
    await using source = await start();
    await inApp(source.name, 'cd /data; echo one > a; echo two > b; echo three > c');
    const shell = await shellOf(source.id);
    const { survey, dumped, reviewed, manifest } = await backUp(shell);
    const [archive, list] = dumped as [Dumped, Dumped];
    // The last member: an extended header of two blocks, its own header and one block of content.
    const end = archive.plain.findLastIndex((byte) => byte !== 0);
    const cut = Buffer.alloc(archive.plain.length);
    archive.plain.copy(cut, 0, 0, Math.floor(end / 512) * 512 - 3 * 512);
    const proof = await files.prove(shell, archive.dump, Readable.from([cut]), defaults, signal());
    assert.equal(proof.counts[0]?.objects.files, 2, 'by itself it is an archive like any other');
    const shorter = reviewed.map((each, i) => (i === 0 ? { ...each, counts: proof.counts } : each));
    await assert.rejects(
      files.review(shell, survey, shorter, defaults, signal()),
      refused('PROOF_FAILED', /3 entries, and 4/),
    );
    await inApp(source.name, 'echo live > /data/a');
    await assert.rejects(
      restore(shell, manifest, [{ ...archive, plain: cut }, list]),
      refused('RESTORE_FAILED', /is not what the list beside it says/),
    );
    assert.equal(
      await docker('exec', source.name, 'sh', '-c', 'cat /data/a; ls -A /data | tr "\\n" " "'),
      'live\na b c',
    );
  });

  it('fault 15: a file that changes while it is read is named, and the backup lacks it', async () => {
    await using source = await start();
    await inApp(source.name, 'cd /data; head -c 100M /dev/zero | tr "\\0" x > busy; echo still > quiet');
    await docker('exec', '-d', source.name, 'bash', '-c', 'while :; do echo more; done >> /data/busy');
    const shell = await shellOf(source.id);
    const survey = await files.survey(shell, defaults, signal());
    const reviewed = [];
    for await (const dump of files.dump(shell, survey, defaults, { counts: 'exact' }, signal())) {
      if (dump.produce.from === 'text') continue;
      const { stdout } = await shell.output(dump.produce.exec, signal());
      const { counts } = await files.prove(shell, dump, stdout, defaults, signal());
      reviewed.push({ ...dump, plainBytes: 1, counts });
    }
    const { lacks } = await files.review(shell, survey, reviewed, defaults, signal());
    assert.deepEqual(lacks, ['/data: 1 file (busy) changed while being read']);
  });

  it('fault 64: a restore for which there is no room is refused, and the live files stay', async () => {
    const volume = `lifeboat-${runId}-${process.pid}-small`;
    await docker('volume', 'create', '-o', 'type=tmpfs', '-o', 'device=tmpfs', '-o', 'o=size=8m', volume);
    try {
      await using source = await start({
        volumes: [],
        run: ['--init', '--stop-timeout', '1', '-v', `${volume}:/data`],
      });
      await inApp(source.name, 'head -c 5M /dev/urandom > /data/big');
      const shell = await shellOf(source.id);
      const { manifest, dumped } = await backUp(shell);
      const { refusals } = await files.preview(shell, manifest, { suffix: 'x' }, defaults, signal());
      assert.match(refusals.join(), /there is no room in \/data/);
      await inApp(source.name, 'echo live > /data/other');
      await assert.rejects(restore(shell, manifest, dumped), refused('RESTORE_FAILED', /there is no room/));
      assert.equal(await docker('exec', source.name, 'ls', '-A', '/data'), 'big\nother');
    } finally {
      await docker('volume', 'rm', volume);
    }
  });

  it('leaves alone what the backup left out, and removes what it does not know', async () => {
    await using source = await start();
    await inApp(
      source.name,
      'cd /data; mkdir -p cache sub/deep; echo 1 > keep; echo 2 > cache/x; echo 3 > sub/a.tmp; echo 4 > sub/b; touch -d 2011-11-11 sub sub/deep .',
    );
    const shell = await shellOf(source.id);
    const options = { ...defaults, exclude: ['cache/**', '*.tmp'] };
    const { manifest, dumped } = await backUp(shell, options);
    await inApp(
      source.name,
      'cd /data; echo 5 > keep; echo 6 > cache/x; echo 7 > sub/a.tmp; rm sub/b; echo 8 > stale; mkdir later; echo 9 > later/c.tmp; echo 10 > later/gone; touch top.tmp',
    );
    await restore(shell, manifest, dumped);
    const found = await docker(
      'exec',
      source.name,
      'sh',
      '-c',
      'cd /data; for f in $(find . -type f | sort); do echo $f $(cat $f); done; stat -c "%y %n" sub . | cut -c1-10,36-',
    );
    assert.deepEqual(found.split('\n'), [
      './cache/x 6',
      './keep 1',
      './later/c.tmp 9',
      './sub/a.tmp 7',
      './sub/b 4',
      './top.tmp',
      '2011-11-11 sub',
      '2011-11-11 .',
    ]);
  });
});
