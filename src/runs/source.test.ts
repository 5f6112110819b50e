import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Container } from '../domain/types.ts';
import type { Engine, Neighbour } from '../engines/engine.ts';
import { type Configured, type ContainerConfig, resolveSources } from './source.ts';

const settings = { options: { some: 'option' } } as unknown as Configured['settings'];
const configured = (isOn: Configured['isOn'], isMentioned = isOn !== 'auto'): Configured => ({
  isOn,
  isMentioned,
  refusal: undefined,
  settings,
});
const app = {
  name: 'shop-app-1',
  service: 'app',
  number: 1,
  image: 'app',
  labels: {},
  mounts: [{ type: 'volume', name: 'shop_uploads', target: '/uploads', readOnly: false }],
} as unknown as Container;

function engine(name: string, more: Partial<Engine> = {}): Engine {
  return { name, recognise: () => false, dataPaths: () => [], ...more } as unknown as Engine;
}

function resolve(engines: readonly Engine[], of: (name: string) => Configured, more: Partial<ContainerConfig> = {}) {
  const config: ContainerConfig = { refusal: undefined, engine: of, extras: [], ...more };
  return resolveSources([app], engines, { stackOf: () => 'shop', configure: () => config });
}

it('tells an engine that could save the same of all others of the container, whatever their order', () => {
  let told: readonly Neighbour[] = [];
  const bound = engine('files');
  const files = engine('files', {
    beside: (others) => {
      told = others;
      return bound;
    },
  });
  const { sources } = resolve([files, engine('sqlite'), engine('command')], (name) => configured(name !== 'command'), {
    extras: [{ name: 'invoices', engineName: 'command', configured: configured('auto') }],
  });
  assert.deepEqual(
    told.map(({ name, options }) => [name, options]),
    [
      ['app/sqlite', { some: 'option' }],
      ['app/invoices', { some: 'option' }],
    ],
  );
  assert.equal(sources[0]?.engine, bound);
});

it('takes an engine that is on by a default for all for a guess, and by a label of the service not', () => {
  const files = engine('files', { guesses: true });
  const isGuess = (of: Configured) => resolve([files], () => of).sources.map((source) => source.isGuess);
  assert.deepEqual(isGuess(configured(true, false)), [true]);
  assert.deepEqual(isGuess(configured(true, true)), [false]);
  assert.deepEqual(isGuess(configured('auto')), []);
});

it('lists a volume that nobody saves, with what would', () => {
  const { uncovered } = resolve([engine('files')], () => configured('auto'));
  assert.deepEqual(
    uncovered.map(({ what, why }) => [what, why]),
    [
      [
        'volume shop_uploads at /uploads',
        'plain files are not saved unless asked for: label the service with lifeboat.files: all',
      ],
    ],
  );
});
