import { describe } from 'node:test';
import { sqlite } from '../../../src/engines/sqlite/index.ts';
import type { SqliteOptions } from '../../../src/engines/sqlite/options.ts';
import { testEngine } from '../../contracts/engine.ts';
import { docker, eventually } from '../../support/testbed.ts';
import { damage, fingerprint, inApp, seed } from './seed.ts';
import { app, sleeper } from './source.ts';

function contract(
  name: string,
  files: readonly [string, string],
  options?: Partial<SqliteOptions>,
  usesPipes = false,
): void {
  testEngine(name, {
    usesPipes,
    engine: sqlite,
    image: app,
    container: () => ({ ...sleeper, volumes: ['/data'] }),
    ...(options ? { options: sqlite.options.parse({ method: 'auto', ...options }) } : {}),
    ready: (container) => eventually(async () => void (await docker('exec', container, 'true'))),
    seed: async (container) => void (await inApp(container, seed, ...files)),
    fingerprint: (container) =>
      inApp(container, `${fingerprint}`, ...files).catch((error: Error) =>
        // A damaged source lacks a file; that differs from every fingerprint.
        error.message.includes('unable to open') ? 'a file is missing' : Promise.reject(error),
      ),
    damage: async (container) => void (await inApp(container, damage, ...files)),
    leavingOut: options?.files ? { files: '/none.db' } : { exclude: '/**' },
    // A flipped bit inside a value is a value like any other to SQLite.
    strictKinds: [],
    byHandFingerprint: (container, artifact) => inApp(container, fingerprint, artifact),
  });
}

const inVolume = ['/data/app.db', '/data/sub folder/we%i#r?d &1.sqlite3'] as const;
const inLayer = ['/home/node/state/app.db', '/home/node/other/b.sqlite'] as const;

describe('sqlite', { concurrency: false }, () => {
  contract('sqlite in a volume, by a helper', inVolume);
  contract('sqlite in a volume, by a helper through pipes', inVolume, undefined, true);
  contract('sqlite in the layer, by a tool of the container', inLayer, { files: inLayer });
  contract('sqlite while paused', inLayer, { files: ['/home/node/**/*.db', inLayer[1]], method: 'pause' });
});
