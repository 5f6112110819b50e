import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { newId } from '../../src/domain/naming.ts';
import { docker, eventually, runId, testLabel } from './testbed.ts';

/** One of the Engine's events, as its client prints it. */
export interface EngineEvent {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> };
}

export interface Events extends AsyncDisposable {
  /** Everything from the beginning of the watch up to now. */
  seen(): Promise<readonly EngineEvent[]>;
}

/** Listens from now on. The Engine remembers 256 events only: on a busy one, who asks afterwards misses what he looks for. */
export function watchEvents(heard: (event: EngineEvent) => void = () => {}): Events {
  const since = (Date.now() / 1000).toFixed(3); // However long the client takes to come up.
  const watching = ['events', '--since', since, '--format', '{{json .}}'];
  const child = spawn('docker', watching, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'close');
  const events: EngineEvent[] = [];
  createInterface(child.stdout).on('line', (line) => {
    const event = JSON.parse(line) as EngineEvent;
    events.push(event);
    heard(event);
  });
  return {
    seen: async () => {
      // They come in order: when this one is here, so is everything before it.
      const mark = `lifeboat-${newId(new Date())}-mark`;
      await docker('volume', 'create', '--label', `${testLabel}=${runId}`, mark);
      await docker('volume', 'rm', mark);
      await eventually(async () => assert.ok(events.some(({ Actor }) => Actor.ID === mark)));
      return events;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
      await ended;
    },
  };
}

export interface Leaks extends AsyncDisposable {
  /** Where a secret could have leaked to: all events up to now, and what is told of helpers. */
  text(): Promise<string>;
}

/** Everything the Engine tells its listeners while this is open, and whoever inspects our helpers. */
export function watchLeaks(): Leaks {
  const looks: Promise<string>[] = [];
  const events = watchEvents(({ Type, Action, Actor }) => {
    const isHelper = Actor.Attributes['lifeboat.role'] === 'helper';
    if (Type !== 'container' || Action !== 'create' || !isHelper) return;
    looks.push(docker('inspect', Actor.ID).catch(() => '')); // One that is gone again already tells nothing.
  });
  return {
    text: async () => {
      const seen = await events.seen();
      return [JSON.stringify(seen), ...(await Promise.all(looks))].join('\n');
    },
    [Symbol.asyncDispose]: () => events[Symbol.asyncDispose](),
  };
}

/**
 * What this owner's helpers left on the Engine: containers that still exist, and volumes that nobody uses any more.
 * Other tests run beside this one, so the Engine's own events say what belongs to whom.
 */
export async function leftovers(owner: string, events: Events): Promise<readonly string[]> {
  const seen = await events.seen();
  const helpers = seen.filter(
    ({ Type, Action, Actor: { Attributes } }) =>
      Type === 'container' &&
      Action === 'create' &&
      Attributes['lifeboat.role'] === 'helper' &&
      Attributes['lifeboat.owner']?.includes(owner),
  );
  const own = new Set(helpers.map(({ Actor }) => Actor.ID));
  const mounted = seen.filter(
    ({ Type, Action, Actor }) => Type === 'volume' && Action === 'mount' && own.has(Actor.Attributes.container ?? ''),
  );
  const [containers, volumes] = await Promise.all([docker('ps', '-aq', '--no-trunc'), docker('volume', 'ls', '-q')]);
  const anonymous = mounted
    .map(({ Actor }) => Actor.ID)
    .filter((id) => /^[0-9a-f]{64}$/.test(id) || id.includes('scratch'));
  // What a helper was lent belongs to the service that has it.
  const users = (name: string) => docker('ps', '-aq', '--filter', `volume=${name}`);
  const left = volumes.split('\n').filter((name) => anonymous.includes(name));
  const unused = await Promise.all(left.map(async (name) => ((await users(name)) === '' ? [name] : [])));
  return [...containers.split('\n').filter((id) => own.has(id)), ...unused.flat()];
}
