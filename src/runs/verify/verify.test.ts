import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import { createCatalog } from '../../catalog/catalog.ts';
import { encodeManifest } from '../../catalog/manifest-codec.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { backupPrefix } from '../../domain/naming.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import type { Engine } from '../../engines/engine.ts';
import { createMemoryStore } from '../../stores/memory.ts';
import type { Store } from '../../stores/store.ts';
import type { Destination, RunContext } from '../context.ts';
import { createRunControl } from '../control/control.ts';
import { runVerify } from './verify.ts';

const never = new AbortController().signal;
const bytes = Buffer.from('all the rows');

async function place(name: string, content = bytes): Promise<Destination & { store: Store }> {
  const store = createMemoryStore();
  const [sample] = sampleManifest().artifacts;
  assert.ok(sample);
  const artifact = {
    ...sample,
    file: 'shop.dump',
    codecs: [],
    plainBytes: bytes.length,
    storedBytes: bytes.length,
    storedSha256: createHash('sha256').update(bytes).digest('hex'),
    counts: [{ how: 'dump' as const, objects: { table: 3 } }],
  };
  const manifest = sampleManifest({ artifacts: [artifact] });
  const draft = await store.draft(backupPrefix(manifest, manifest.id), never);
  await draft.put('shop.dump', content, {}, never);
  await draft.publish(encodeManifest(manifest), never);
  return {
    name,
    store,
    catalog: createCatalog(store),
    isLocal: true,
    hold: () => Promise.reject(new Error('not asked for')),
  };
}

/** A prover that writes down what it was given. */
function worldOf(destinations: readonly Destination[], prove: (plain: string) => Record<string, number>) {
  const events: RunEvent[] = [];
  const proved: string[] = [];
  const engine = {
    name: 'postgres',
    prove: async (_shell: unknown, _artifact: unknown, plain: Readable) => {
      const seen = await text(plain);
      proved.push(seen);
      return { method: 'read', counts: [{ how: 'dump', objects: prove(seen) }] };
    },
  } as unknown as Engine;
  const context = {
    version: '1',
    candidates: async () => ({ sources: [], uncovered: [] }),
    destinations: async () => destinations,
    engine: () => engine,
    hasImage: async () => true,
    shell: () => ({ whyNoPipes: () => 'no' }),
    emit: (event: RunEvent) => events.push(event),
    now: () => new Date(),
  } as unknown as RunContext;
  const verify = (signal = never) =>
    runVerify(context, createRunControl(1), { level: 'structure', run: '20261121-040000-runrun' }, signal);
  return { verify, events, proved };
}

test('each copy is read, and one sound one is proved: equal checksums are equal bytes', async () => {
  const places = [await place('one', Buffer.from('all the r0ws')), await place('two'), await place('three')];
  const { verify, proved } = worldOf(places, () => ({ table: 3 }));
  const { result, backups } = await verify();
  assert.equal(result, 'failed');
  const [found] = backups;
  assert.deepEqual(
    found?.verified?.copies.map((copy) => [copy.destination, copy.result]),
    [
      ['one', 'damaged'],
      ['two', 'ok'],
      ['three', 'ok'],
    ],
  );
  assert.equal(found?.verified?.structure.state, 'proved');
  assert.equal(proved.at(-1), 'all the rows');
  assert.ok(proved.length <= 2, 'the third copy was only hashed');
});

test('other counts than the manifest has are damage; kinds that only one of both knows are not', async () => {
  const more = worldOf([await place('one')], () => ({ table: 3, view: 1 }));
  assert.equal((await more.verify()).result, 'ok');
  const none = worldOf([await place('one')], () => ({}));
  assert.equal((await none.verify()).result, 'ok');
  const fewer = worldOf([await place('one')], () => ({ table: 2 }));
  const { result, backups } = await fewer.verify();
  assert.equal(result, 'failed');
  assert.match(backups[0]?.error?.message ?? '', /2 instead of 3 table/);
});

test('a prover that cannot work says nothing about the backup', async () => {
  const { verify } = worldOf([await place('one')], () => {
    throw new LifeboatError('TOOL_MISSING', 'image x is not on this host');
  });
  const { result, backups } = await verify();
  assert.equal(result, 'partial');
  assert.deepEqual(backups[0]?.verified?.structure, {
    state: 'not-run',
    code: 'TOOL_MISSING',
    why: 'image x is not on this host',
  });
});

test('a copy that cannot be read is no damage and leaves no note', async () => {
  const broken = await place('one');
  const store: Store = {
    ...broken.store,
    get: async (key, signal) => {
      if (key.endsWith('manifest.json')) return broken.store.get(key, signal);
      throw new LifeboatError('STORE_UNAVAILABLE', 'the connection broke');
    },
  };
  const { verify } = worldOf([{ ...broken, store }], () => ({}));
  const { result, backups } = await verify();
  assert.equal(result, 'partial');
  assert.equal(backups[0]?.error?.code, 'STORE_UNAVAILABLE');
  assert.equal(await broken.catalog.verification(sampleManifest(), never), undefined);
});

test('a destination that takes no note changes nothing but is told of', async () => {
  const full = await place('one');
  const annotate = async () => {
    throw new LifeboatError('STORE_FULL', 'the disk is full');
  };
  const { verify, events } = worldOf([{ ...full, catalog: { ...full.catalog, annotate } }], () => ({}));
  assert.equal((await verify()).result, 'ok');
  assert.match(JSON.stringify(events.filter(({ type }) => type === 'warning')), /the disk is full/);
});

test('ends when it is cancelled, and says so', async () => {
  const slow = await place('one');
  const store: Store = {
    ...slow.store,
    get: async (_key, signal) =>
      new Readable({
        read() {
          signal.addEventListener('abort', () => this.destroy(signal.reason as Error));
        },
      }),
  };
  const { verify, events } = worldOf([{ ...slow, store }], () => ({}));
  const stop = new AbortController();
  const ended = verify(stop.signal);
  setTimeout(() => stop.abort(new LifeboatError('CANCELLED', 'a person cancelled it')), 50);
  await assert.rejects(ended, { code: 'CANCELLED' });
  const last = events.at(-1);
  assert.ok(last?.type === 'run.finished' && last.result === 'cancelled');
});
