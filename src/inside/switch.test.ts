import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { putBack, switchOver } from './switch.ts';
import { discard, stateOf, workIn } from './work.ts';

const base = mkdtempSync(join(tmpdir(), 'lifeboat-switch-'));
after(() => rmSync(base, { recursive: true }));

const rules = {
  folder: '/data',
  include: [],
  exclude: ['*.tmp'],
  leave: ['app.db', 'app.db-wal', 'sub/inner.db', 'sub/inner.db-wal', 'gone.db'],
};
const sh = (script: string, cwd: string) => execFileSync('bash', ['-ec', script], { cwd, encoding: 'utf8' });
/** Every name with its type, mode, time and content, but for what the restore itself keeps there. */
const facts = (root: string) =>
  sh(
    'find . -path "./.lifeboat-*" -prune -o -printf "%p %y %m %T@\\n" | sort; find . -path "./.lifeboat-*" -prune -o -type f -print0 | sort -z | xargs -0 cat',
    root,
  );

/** A live tree and a staged one, which share names as one thing and another. */
function staged(name: string) {
  const root = join(base, name);
  mkdirSync(root);
  sh(
    `mkdir -p sub/deep only-live/x both; echo live > both/file; echo tmp > sub/deep/a.tmp; echo tmp > only-live/x/b.tmp
    echo live > sub/keep; echo db > app.db; echo db > sub/inner.db; echo file > swapped; echo stale > stale; printf x > $'odd\\xff'
    chmod 750 sub only-live; touch -d '2011-11-11 11:11:11.123456789' sub/deep sub only-live/x only-live both .`,
    root,
  );
  const work = workIn(root, 'test');
  mkdirSync(work.fresh, { recursive: true });
  sh(
    `mkdir -p sub/deep both swapped; echo fresh > both/file; echo fresh > sub/keep; echo plain > gone.db; echo new > swapped/inside; echo new > added
    echo plain > app.db; echo plain > app.db-wal; echo plain > sub/inner.db
    chmod 700 sub; touch -d '2022-02-22 22:22:22.987654321' sub/deep sub both swapped .`,
    work.fresh,
  );
  // Ours changed the time of the live folder, as it does in a restore.
  sh("touch -d '2011-11-11 11:11:11.123456789' .", root);
  return { root, work };
}

const request = (root: string) => ({ at: root, suffix: 'test', rules });

it('switches all names, carries over what is left out, and gives folders their times', async () => {
  const { root, work } = staged('whole');
  await switchOver(request(root));
  assert.equal(stateOf(work), 'moved');
  discard(work);
  const lines = facts(root);
  for (const line of [
    /^\.\/sub d 700 1645\d+\.987654321/m,
    /^\.\/sub\/deep d \d+ 1645\d+\.987654321/m,
    /^\.\/only-live d 750 1321\d+\.123456789/m,
    /^\.\/only-live\/x\/b\.tmp f/m,
    /^\.\/sub\/deep\/a\.tmp f/m,
    /^\.\/swapped\/inside f/m,
    /^\.\/app\.db f/m,
    /^\. d \d+ 1645\d+\.987654321/m,
  ])
    assert.match(lines, line);
  // What another source saves now is not in the safety backup of the files, so it is not replaced by them.
  assert.equal(sh('cat app.db sub/inner.db gone.db', root), 'db\ndb\nplain\n');
  for (const line of [/app\.db-wal/, /stale/, /odd/, /lifeboat/, /^live$/m]) assert.doesNotMatch(lines, line);
});

it('fault 76: is taken back from wherever it was killed, to the last name and time', async () => {
  const { root, work } = staged('model');
  const before = facts(root);
  await switchOver(request(root));
  const moves = JSON.parse(readFileSync(work.moves, 'utf8')) as [string, string][];
  assert.ok(moves.length > 10);
  putBack(work);
  assert.equal(facts(root), before, 'from its end');
  for (let done = 0; done <= moves.length; done += 1) {
    await switchOver(request(root));
    rmSync(work.moved);
    // As if nobody had come to the later ones.
    const at = (name: string) => Buffer.from(`${root}/${name}`, 'latin1');
    for (const [from, to] of moves.slice(done).toReversed()) renameSync(at(to), at(from));
    assert.equal(stateOf(work), 'moving');
    putBack(work);
    putBack(work); // Twice does no harm.
    assert.equal(stateOf(work), 'staged');
    assert.equal(facts(root), before, `after ${done} of ${moves.length} renames`);
  }
});
