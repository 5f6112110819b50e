import assert from 'node:assert/strict';
import { createHash, randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, suite, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { LifeboatError } from '../../src/domain/errors.ts';
import { manifestFile, type Store } from '../../src/stores/store.ts';

export interface StoreUnderTest {
  /** Empty. */
  readonly store: Store;
  /** What unfinished writes have left: temporaries, partial folders, open uploads. */
  leftovers(): Promise<readonly string[]>;
  close?(): Promise<void>;
}

const never = new AbortController().signal;
const mib = 1024 * 1024;
const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const text = (words: string) => Buffer.from(words);
const id = '20261121-030000-k3f9a2';
const folder = `shop/db/postgres/${id}`;

export async function keysOf(store: Store, prefix = ''): Promise<string[]> {
  const keys = [];
  for await (const { key } of store.list(prefix, never)) keys.push(key);
  return keys.sort();
}

export async function contentOf(store: Store, key: string): Promise<Buffer> {
  return buffer(await store.get(key, never));
}

/** A body that yields `bytes` in pieces and then does `end`. */
export function streamOf(bytes: number, end: () => void | Promise<void> = () => undefined): Readable {
  const piece = randomBytes(64 * 1024);
  return Readable.from(
    (async function* () {
      for (let left = bytes; left > 0; left -= piece.length) yield piece.subarray(0, left);
      await end();
    })(),
    { objectMode: false },
  );
}

/** What every store must do (see `Store`). `bigBytes` is a size its driver needs several requests for. */
export function testStore(name: string, create: () => Promise<StoreUnderTest>, bigBytes = 40 * mib): void {
  const check = (what: string, body: (subject: StoreUnderTest) => Promise<void>) =>
    test(what, async () => {
      const subject = await create();
      try {
        await body(subject);
        assert.deepEqual(await subject.leftovers(), [], 'something unfinished is left');
      } finally {
        await subject.close?.();
      }
    });
  /** Runs a put that must fail, once with nothing there before and once over an old object. */
  const failing = (what: string, put: (store: Store, key: string) => Promise<unknown>, code: RegExp) =>
    check(what, async ({ store }) => {
      await assert.rejects(put(store, 'a/new'), (error: LifeboatError) => code.test(error.code));
      await assert.rejects(store.get('a/new', never), { code: 'OBJECT_NOT_FOUND' });
      await store.put('a/old', text('the old content'), {}, never);
      await assert.rejects(put(store, 'a/old'), (error: LifeboatError) => code.test(error.code));
      assert.equal(String(await contentOf(store, 'a/old')), 'the old content');
      assert.deepEqual(await keysOf(store), ['a/old']);
    });

  suite(`store ${name}`, () => {
    check('gives back what was put, and vouches for it', async ({ store }) => {
      const confirmation = await store.put('a/b/c.txt', text('hello'), {}, never);
      assert.equal(confirmation.bytes, 5);
      assert.equal(confirmation.sha256, sha256(text('hello')));
      assert.match(confirmation.confirmed, /^(read-back|checksum)$/);
      assert.equal(String(await contentOf(store, 'a/b/c.txt')), 'hello');
      const [object] = await Array.fromAsync(store.list('', never));
      assert.equal(object?.bytes, 5);
      assert.ok(Math.abs((object?.modifiedAt.getTime() ?? 0) - Date.now()) < 120_000);
    });

    check('stores an empty object, from bytes and from a stream', async ({ store }) => {
      for (const body of [new Uint8Array(), Readable.from([])]) {
        const { bytes, sha256: hash } = await store.put('empty', body, {}, never);
        assert.deepEqual([bytes, hash], [0, sha256(Buffer.alloc(0))]);
        assert.equal((await contentOf(store, 'empty')).length, 0);
      }
    });

    check(`stores ${Math.round(bigBytes / mib)} MiB of unknown length`, async ({ store }) => {
      const seen = createHash('sha256');
      const body = streamOf(bigBytes + 1);
      const counted = Readable.from(
        (async function* () {
          for await (const chunk of body) {
            seen.update(chunk);
            yield chunk;
          }
        })(),
        { objectMode: false },
      );
      const confirmation = await store.put('big', counted, {}, never);
      const hash = seen.digest('hex');
      assert.deepEqual([confirmation.bytes, confirmation.sha256], [bigBytes + 1, hash]);
      assert.equal(sha256(await contentOf(store, 'big')), hash);
    });

    check('waits for a slow body', async ({ store }) => {
      const slow = Readable.from(
        (async function* () {
          for (const word of ['one ', 'two ', 'three']) {
            await sleep(20);
            yield word;
          }
        })(),
      );
      await store.put('slow', slow, {}, never);
      assert.equal(String(await contentOf(store, 'slow')), 'one two three');
    });

    check('gives a slow reader everything', async ({ store }) => {
      await store.put('big', streamOf(2 * mib), {}, never);
      let bytes = 0;
      for await (const chunk of await store.get('big', never)) {
        bytes += chunk.length;
        await sleep(5);
      }
      assert.equal(bytes, 2 * mib);
    });

    for (const bytes of [0, 1000, bigBytes]) {
      const broken = () =>
        streamOf(bytes, () => {
          throw new Error('the dump died');
        });
      failing(
        `fault 55: a body that fails after ${bytes} bytes leaves nothing`,
        (store, key) => store.put(key, broken(), {}, never),
        /DUMP_INCOMPLETE/,
      );
    }

    failing(
      'fault 55: a body that closes without an end leaves nothing',
      (store, key) => {
        const short = new Readable({ read() {} });
        short.push(randomBytes(3000));
        setTimeout(() => short.destroy(), 20);
        return store.put(key, short, {}, never);
      },
      /DUMP_INCOMPLETE/,
    );

    failing(
      "a body's own error code reaches the caller",
      (store, key) =>
        store.put(
          key,
          streamOf(10, () => {
            throw new LifeboatError('PROOF_FAILED', 'no such table');
          }),
          {},
          never,
        ),
      /PROOF_FAILED/,
    );

    failing(
      'a body that was read before is not an empty object',
      async (store, key) => {
        const body = streamOf(10);
        await buffer(body);
        return store.put(key, body, {}, never);
      },
      /INTERNAL/,
    );

    for (const bytes of [3000, bigBytes]) {
      failing(
        `an abort after ${bytes} bytes leaves nothing`,
        (store, key) => {
          const abort = new AbortController();
          const body = streamOf(bytes, async () => {
            setTimeout(() => abort.abort(), 10);
            // Stuck whatever the signal says, as a generator over a dead connection is.
            await sleep(60_000, undefined, { ref: false });
          });
          return store.put(key, body, {}, abort.signal);
        },
        /CANCELLED/,
      );
    }

    failing(
      'a signal that fired before stops a put with its reason',
      (store, key) => {
        const reason = new LifeboatError('STALLED', 'too late');
        return store.put(key, text('x'), {}, AbortSignal.abort(reason));
      },
      /STALLED/,
    );

    check('a failed put destroys its body, so that its producer stops', async ({ store }) => {
      const body = new Readable({ read() {} });
      await assert.rejects(store.put('../x', body, {}, never), { code: 'USAGE' });
      assert.ok(body.destroyed);
    });

    check('replaces an object', async ({ store }) => {
      await store.put('a', text('old and long'), {}, never);
      await store.put('a', text('new'), {}, never);
      assert.equal(String(await contentOf(store, 'a')), 'new');
      assert.deepEqual(await keysOf(store), ['a']);
    });

    check('fault 62: ifAbsent never replaces an object, and one of many writers wins', async ({ store }) => {
      await store.put('a', text('first'), { ifAbsent: true }, never);
      await assert.rejects(store.put('a', text('second'), { ifAbsent: true }, never), { code: 'OBJECT_EXISTS' });
      assert.equal(String(await contentOf(store, 'a')), 'first');
      const writers = Array.from({ length: 8 }, (_, i) => store.put('race', text(`${i}`), { ifAbsent: true }, never));
      const results = await Promise.allSettled(writers);
      const winners = results.flatMap(({ status }, i) => (status === 'fulfilled' ? [i] : []));
      assert.equal(winners.length, 1);
      assert.equal(String(await contentOf(store, 'race')), String(winners[0]));
      for (const result of results) if (result.status === 'rejected') assert.equal(result.reason.code, 'OBJECT_EXISTS');
    });

    check('ifAbsent holds for big objects too', async ({ store }) => {
      await store.put('big', text('first'), {}, never);
      await assert.rejects(store.put('big', streamOf(bigBytes), { ifAbsent: true }, never), { code: 'OBJECT_EXISTS' });
      assert.equal(String(await contentOf(store, 'big')), 'first');
    });

    check('says that an object is missing', async ({ store }) => {
      await store.put('a/b', text('x'), {}, never);
      for (const key of ['nothing', 'a', 'a/b/c', 'a/bc']) {
        await assert.rejects(store.get(key, never), { code: 'OBJECT_NOT_FOUND' }, key);
        await store.remove(key, never);
      }
      assert.deepEqual(await keysOf(store), ['a/b']);
    });

    check('removes an object, once and again', async ({ store }) => {
      await store.put('a/b', text('x'), {}, never);
      await store.remove('a/b', never);
      await store.remove('a/b', never);
      assert.deepEqual(await keysOf(store), []);
    });

    check('keeps odd names apart', async ({ store }) => {
      const odd = [
        'sp ace',
        ' leading and trailing ',
        'plus+and&amp;amp',
        'per%20cent',
        'per cent%',
        'ünï/日本語.tar',
        '🛟',
        `long/${'n'.repeat(200)}`,
        'quote"\'`$(x)',
        '<tag>&lt;',
        'back\\slash',
        '.hidden/.file',
        'a..b/...',
        'star*?#;=@:,~!|',
      ];
      for (const key of odd) await store.put(key, text(key), {}, never);
      for (const key of odd) assert.equal(String(await contentOf(store, key)), key);
      assert.deepEqual(await keysOf(store), odd.toSorted());
      for (const key of odd) await store.remove(key, never);
      assert.deepEqual(await keysOf(store), []);
    });

    check('fault 100: refuses names that lead out or that are none', async ({ store }) => {
      const refused = ['', '/abs', '../x', 'a/../../x', 'a//b', 'a/', './a', 'a/.', 'nul\0', 'line\nbreak'];
      for (const key of [...refused, 'x'.repeat(1000), `a/${'ü'.repeat(200)}`, 'a/.b.partial/c', '\ud800']) {
        await assert.rejects(store.put(key, text('x'), {}, never), { code: 'USAGE' }, key);
        await assert.rejects(store.get(key, never), { code: 'USAGE' }, key);
        await assert.rejects(store.remove(key, never), { code: 'USAGE' }, key);
        await assert.rejects(store.draft(key, never), { code: 'USAGE' }, key);
      }
      await assert.rejects(keysOf(store, '../'), { code: 'USAGE' });
      await assert.rejects(store.folders('/etc/', never), { code: 'USAGE' });
    });

    check('lists by the beginning of the name, not by folder', async ({ store }) => {
      for (const key of ['shop/db/1', 'shop/db2/1', 'shop/app', 'blog/db', 'shopping']) {
        await store.put(key, text(key), {}, never);
      }
      assert.deepEqual(await keysOf(store, 'shop'), ['shop/app', 'shop/db/1', 'shop/db2/1', 'shopping']);
      assert.deepEqual(await keysOf(store, 'shop/'), ['shop/app', 'shop/db/1', 'shop/db2/1']);
      assert.deepEqual(await keysOf(store, 'shop/db'), ['shop/db/1', 'shop/db2/1']);
      assert.deepEqual(await keysOf(store, 'shop/db/'), ['shop/db/1']);
      assert.deepEqual(await keysOf(store, 'nothing/here/'), []);
      assert.deepEqual((await store.folders('', never)).toSorted(), ['blog', 'shop']);
      assert.deepEqual((await store.folders('shop/', never)).toSorted(), ['db', 'db2']);
      assert.deepEqual(await store.folders('nothing/', never), []);
    });

    check('fault 63: lists 1,100 objects and folders completely', async ({ store }) => {
      const keys = Array.from({ length: 1100 }, (_, i) => `many/${String(i).padStart(4, '0')}/x`);
      const queue = keys.values();
      const worker = async () => {
        for (const key of queue) await store.put(key, text('x'), {}, never);
      };
      await Promise.all(Array.from({ length: 16 }, worker));
      assert.deepEqual(await keysOf(store), keys);
      assert.equal((await store.folders('many/', never)).length, 1100);
    });

    check('takes many puts at once', async ({ store }) => {
      const bodies = Array.from({ length: 12 }, (_, i) => randomBytes(300_000 + i));
      await Promise.all(bodies.map((body, i) => store.put(`p/${i}`, Readable.from([body]), {}, never)));
      const back = await Promise.all(bodies.map((_, i) => contentOf(store, `p/${i}`)));
      assert.deepEqual(back.map(sha256), bodies.map(sha256));
    });

    check('an abort stops reading and listing', async ({ store }) => {
      await store.put('big', streamOf(bigBytes), {}, never);
      const abort = new AbortController();
      const stream = await store.get('big', abort.signal);
      const read = (async () => {
        for await (const _ of stream) abort.abort();
      })();
      await assert.rejects(read, { code: 'CANCELLED' });
      await assert.rejects(store.get('big', abort.signal), { code: 'CANCELLED' });
      await assert.rejects(store.remove('big', abort.signal), { code: 'CANCELLED' });
      await assert.rejects(Array.fromAsync(store.list('', abort.signal)), { code: 'CANCELLED' });
      await assert.rejects(store.draft('x/y', abort.signal), { code: 'CANCELLED' });
    });

    check('a draft is invisible as a backup until it is published', async ({ store }) => {
      const draft = await store.draft(folder, never);
      const confirmation = await draft.put('shop.dump', streamOf(100_000), {}, never);
      assert.equal(confirmation.bytes, 100_000);
      await draft.put('events/1.json', text('{}'), {}, never);
      assert.deepEqual(
        (await keysOf(store)).filter((key) => key.endsWith(manifestFile)),
        [],
      );
      await draft.publish(text('{"manifest":1}'), never);
      const expected = [`${folder}/events/1.json`, `${folder}/${manifestFile}`, `${folder}/shop.dump`];
      assert.deepEqual(await keysOf(store), expected);
      assert.equal((await contentOf(store, `${folder}/shop.dump`)).length, 100_000);
      assert.deepEqual(await store.folders('shop/db/postgres/', never), [id]);
      await draft.discard();
      assert.deepEqual(await keysOf(store), expected, 'a published draft cannot be discarded');
      await assert.rejects(draft.put('late', text('x'), {}, never), { code: 'INTERNAL' });
    });

    check('a draft never takes one file for another', async ({ store }) => {
      const draft = await store.draft(folder, never);
      await draft.put('shop.dump', Buffer.from('shop'), {}, never);
      await assert.rejects(draft.put('shop.dump', Buffer.from('Shop'), {}, never), { code: 'OBJECT_EXISTS' });
      await draft.discard();
      assert.deepEqual(await keysOf(store), []);
    });

    check('a discarded draft leaves nothing, and may be discarded again', async ({ store }) => {
      const draft = await store.draft(folder, never);
      await draft.put('a', streamOf(bigBytes), {}, never);
      await draft.put('deep/b', text('x'), {}, never);
      await assert.rejects(draft.put('../../escape', text('x'), {}, never), { code: 'USAGE' });
      await draft.discard();
      await draft.discard();
      assert.deepEqual(await keysOf(store), []);
      assert.deepEqual(await store.folders('', never), []);
      await (await store.draft(folder, never)).discard();
    });

    check('a put that fails inside a draft leaves nothing there, and the draft goes on', async ({ store }) => {
      const draft = await store.draft(folder, never);
      const broken = streamOf(200_000, () => {
        throw new Error('broken');
      });
      await assert.rejects(draft.put('a', broken, {}, never), { code: 'DUMP_INCOMPLETE' });
      await draft.put('b', text('b'), {}, never);
      await draft.publish(text('{}'), never);
      assert.deepEqual(await keysOf(store), [`${folder}/b`, `${folder}/${manifestFile}`]);
    });

    check('a publish that was aborted published nothing and can be discarded', async ({ store }) => {
      const draft = await store.draft(folder, never);
      await draft.put('a', text('a'), {}, never);
      await assert.rejects(draft.publish(text('{}'), AbortSignal.abort()), { code: 'CANCELLED' });
      await assert.rejects(store.get(`${folder}/${manifestFile}`, never), { code: 'OBJECT_NOT_FOUND' });
      await draft.discard();
      assert.deepEqual(await keysOf(store), []);
    });

    check('fault 62: a folder that is there is never opened again, and never touched', async ({ store }) => {
      const first = await store.draft(folder, never);
      await first.put('a', text('first'), {}, never);
      await first.publish(text('{"first":true}'), never);
      await assert.rejects(store.draft(folder, never), { code: 'OBJECT_EXISTS' });
      assert.equal(String(await contentOf(store, `${folder}/${manifestFile}`)), '{"first":true}');
    });

    check('fault 62: of two drafts of one folder at most one is published, whole', async ({ store }) => {
      const opened = await Promise.allSettled([store.draft(folder, never), store.draft(folder, never)]);
      const drafts = opened.flatMap((result) => (result.status === 'fulfilled' ? [result.value] : []));
      assert.ok(drafts.length >= 1);
      const outcomes = await Promise.allSettled(
        drafts.map(async (draft, i) => {
          await draft.put('a', text(`by ${i}`), {}, never);
          await draft.publish(text(`by ${i}`), never);
        }),
      );
      assert.equal(outcomes.filter(({ status }) => status === 'fulfilled').length, 1);
      for (const [i, { status }] of outcomes.entries()) if (status === 'rejected') await drafts[i]?.discard();
      const contents = await Promise.all(['a', manifestFile].map((file) => contentOf(store, `${folder}/${file}`)));
      assert.equal(String(contents[0]), String(contents[1]));
    });

    check('fault 54: sweep removes what is abandoned and old, nothing else', async ({ store }) => {
      const published = await store.draft(folder, never);
      await published.put('a', text('a'), {}, never);
      await published.publish(text('{}'), never);
      await store.put('lifeboat.json', text('{}'), {}, never);
      await store.put('.leases/me.json', text('{}'), {}, never);
      await store.put(`shop/db/postgres/20261120-030000-aaaaaa/a`, text('its manifest was removed'), {}, never);
      const killed = await store.draft('shop/db/postgres/20261121-040000-k3f9a3', never);
      await killed.put('a', text('half a backup'), {}, never);
      const left = await store.draft('shop/db/postgres/20261121-050000-k3f9a4', never);
      await left.put('a', text('nobody resumes it'), {}, never);
      left.leave();
      const expected = ['.leases/me.json', 'lifeboat.json', `${folder}/a`, `${folder}/${manifestFile}`];
      assert.deepEqual(await store.sweep(3_600_000, never), [], 'what is young may still be written');
      await sleep(1100);
      await store.sweep(0, never);
      await killed.discard();
      assert.deepEqual(await keysOf(store), expected);
      assert.deepEqual(await store.sweep(0, never), []);
      await (await store.draft('shop/db/postgres/20261121-050000-k3f9a4', never)).discard();
    });

    check('a draft that was left is taken up where it was, and published as a whole', async ({ store }) => {
      const cut = await store.draft(folder, never);
      const { sha256: hash } = await cut.put('a', streamOf(bigBytes), {}, never);
      cut.leave();
      await cut.discard();
      await assert.rejects(cut.put('b', text('b'), {}, never), { code: 'INTERNAL' });
      assert.ok(!(await keysOf(store)).some((key) => key.endsWith(manifestFile)), 'it looks like a backup');
      await assert.rejects(store.draft(folder, never), { code: 'OBJECT_EXISTS' });
      const next = await store.draft(folder, never, { resume: true });
      assert.equal(sha256(await buffer(await next.get('a', never))), hash);
      await assert.rejects(next.get('b', never), { code: 'OBJECT_NOT_FOUND' });
      await assert.rejects(next.put('a', text('other'), {}, never), { code: 'OBJECT_EXISTS' });
      await next.put('b', text('b'), {}, never);
      assert.equal(String(await buffer(await next.get('b', never))), 'b');
      await next.publish(text('{}'), never);
      assert.deepEqual(await keysOf(store), [`${folder}/a`, `${folder}/b`, `${folder}/${manifestFile}`]);
      assert.equal(sha256(await contentOf(store, `${folder}/a`)), hash);
    });

    check('a draft that was taken up is discarded with all that was found', async ({ store }) => {
      const cut = await store.draft(folder, never);
      await cut.put('a', text('a'), {}, never);
      cut.leave();
      const next = await store.draft(folder, never, { resume: true });
      await next.put('b', text('b'), {}, never);
      await next.discard();
      assert.deepEqual(await keysOf(store), []);
      await (await store.draft(folder, never)).discard();
    });

    check('fault 62: what is published is never taken up', async ({ store }) => {
      const first = await store.draft(folder, never, { resume: true });
      await first.put('a', text('first'), {}, never);
      await first.publish(text('{"first":true}'), never);
      await assert.rejects(store.draft(folder, never, { resume: true }), { code: 'OBJECT_EXISTS' });
      assert.equal(String(await contentOf(store, `${folder}/${manifestFile}`)), '{"first":true}');
    });

    test('says where it is, without credentials', async () => {
      const { store, close } = await create();
      after(() => close?.());
      assert.match(store.location, /^[a-z0-9]+:\/\//);
      const free = await store.freeBytes(never);
      assert.ok(free === undefined || free > 0);
    });
  });
}
