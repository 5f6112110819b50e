import { files } from '../../../src/engines/files/index.ts';
import { testEngine } from '../../contracts/engine.ts';
import { docker, eventually } from '../../support/testbed.ts';
import { app, damage, fingerprint, inApp, nasty } from './tree.ts';

const image = await app();

for (const usesPipes of [false, true]) {
  testEngine(`files ${usesPipes ? 'through pipes' : 'through the relay'}`, {
    usesPipes,
    engine: files,
    image,
    container: () => ({
      args: ['sleep', 'infinity'],
      run: ['--init', '--stop-timeout', '1', '--label', 'lifeboat.files=all'],
      volumes: ['/data', '/more'],
    }),
    ready: (name) => eventually(async () => void (await docker('exec', name, 'true'))),
    seed: async (name) => {
      await inApp(name, nasty, '/data');
      await inApp(name, 'echo more > /more/file; chown 5:6 /more');
    },
    fingerprint: async (name) =>
      `${await inApp(name, fingerprint, '/data')}\n${await inApp(name, fingerprint, '/more')}`,
    damage: async (name) => {
      await inApp(name, damage, '/data');
      await inApp(name, 'echo other > /more/file; touch /more/stale');
    },
    leavingOut: { paths: '/data', exclude: '**' },
    // A flipped bit inside a file is a bit like any other.
    strictKinds: [],
    byHandFingerprint: (name, artifact) =>
      artifact.startsWith('/') ? inApp(name, fingerprint, artifact) : Promise.resolve(''),
  });
}
