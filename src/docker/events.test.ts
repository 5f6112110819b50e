import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import { LifeboatError } from '../domain/errors.ts';
import { type ContainerWatch, watchContainers } from './events.ts';

const line = (action: string, timeNano: number, id = 'c1') =>
  `${JSON.stringify({ Type: 'container', Action: action, Actor: { ID: id }, timeNano })}\n`;
const nano = (seconds: number) => 1_795_000_000_000_000_000 + seconds * 1e9;

/** Serves these streams one after the other, then ends the watch; tells what was heard and asked. */
async function watch(streams: readonly (readonly (string | Buffer)[] | Error)[]) {
  const end = new AbortController();
  const heard: string[] = [];
  const asked: (number | undefined)[] = [];
  const pauses: number[] = [];
  let turn = 0;
  const api = {
    events: async (_filters: unknown, since: number | undefined) => {
      asked.push(since);
      const next = streams[turn++];
      if (next === undefined) {
        end.abort();
        throw new Error('the watch has ended');
      }
      if (next instanceof Error) throw next;
      return Readable.from(next.map((part) => Buffer.from(part)));
    },
  };
  const watching: ContainerWatch = {
    connected: () => heard.push('connected'),
    changed: ({ action, containerId }) => heard.push(`${action} ${containerId}`),
    lost: (error, pauseMs) => {
      heard.push(`lost ${error.code}`);
      pauses.push(pauseMs);
    },
  };
  await watchContainers(api, watching, end.signal, { firstPauseMs: 1, longestPauseMs: 4 });
  return { heard, asked, pauses };
}

test('tells what happens, also when a line comes in pieces and in the middle of a character', async () => {
  const bytes = Buffer.from(line('start', nano(1)) + line('health_status: ü', nano(2)) + line('die', nano(3), 'c2'));
  const cut = bytes.indexOf(Buffer.from('ü')) + 1;
  const { heard } = await watch([[bytes.subarray(0, 20), bytes.subarray(20, cut), bytes.subarray(cut)]]);
  assert.deepEqual(heard.slice(0, 4), ['connected', 'start c1', 'health_status: ü c1', 'die c2']);
});

test('fault 16: a stream that ends is opened again from where it stopped, and what comes twice is told once', async () => {
  const { heard, asked } = await watch([
    [line('start', nano(1)), line('die', nano(2))],
    [line('die', nano(2)), line('die', nano(2), 'c2'), line('start', nano(3))],
  ]);
  assert.deepEqual(heard.slice(0, 7), [
    'connected',
    'start c1',
    'die c1',
    'lost DOCKER_UNAVAILABLE',
    'connected',
    'die c2',
    'start c1',
  ]);
  assert.equal(asked[0], undefined);
  assert.ok(Number(asked[1]) <= nano(2) / 1e9 && Number(asked[1]) > nano(2) / 1e9 - 0.01);
});

test('fault 16: an Engine that is away is tried with growing pauses, which an event makes short again', async () => {
  const away = new LifeboatError('DOCKER_UNAVAILABLE', 'the Docker Engine does not answer (ECONNREFUSED)');
  const { pauses } = await watch([away, away, away, away, [line('start', nano(1))], away]);
  assert.deepEqual(pauses, [1, 2, 4, 4, 1, 2]);
});

test('a line that is no JSON costs the connection, not the watch', async () => {
  const { heard } = await watch([['<html>\n'], [line('start', nano(1))]]);
  assert.deepEqual(heard.slice(0, 4), ['connected', 'lost INTERNAL', 'connected', 'start c1']);
});

test('ends at once when it is told to, also in the middle of a quiet stream', async () => {
  const end = new AbortController();
  const quiet = new Readable({ read: () => {} });
  const heard: string[] = [];
  const watching = watchContainers(
    { events: async () => quiet },
    { connected: () => end.abort(), changed: () => {}, lost: () => heard.push('lost') },
    end.signal,
  );
  await watching;
  assert.equal(quiet.destroyed, true);
  assert.deepEqual(heard, []);
});
