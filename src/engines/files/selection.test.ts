import assert from 'node:assert/strict';
import { it } from 'node:test';
import { isLifeboatError } from '../../domain/errors.ts';
import type { Container, Mount } from '../../domain/types.ts';
import { FilesOptions } from './options.ts';
import { type Saved, select } from './selection.ts';

const volume = (target: string, more: Partial<Mount> = {}): Mount => ({
  type: 'volume',
  name: `shop_v${target.replaceAll('/', '-')}`,
  target,
  readOnly: false,
  ...more,
});
const bind = (source: string, target: string, more: Partial<Mount> = {}): Mount => ({
  type: 'bind',
  source,
  target,
  readOnly: false,
  ...more,
});
const container = (...mounts: Mount[]) => ({ stack: 'shop', service: 'app', mounts }) as unknown as Container;
const options = (paths: string, more: object = {}) => FilesOptions.parse({ paths, ...more });
const server: Saved = { path: '/var/lib/db/data', isFolder: true, by: 'app/postgres' };
const database: Saved = { path: '/data/app.db', isFolder: false, by: 'app/sqlite' };

function why(mount: Mount, saved: readonly Saved[] = []): string {
  const { folders, left } = select(container(mount), options('all'), saved);
  return folders.length > 0 ? 'saved' : (left[0]?.why ?? '');
}

it('saves every volume and folder of the app, and says why not the others', () => {
  const cases: readonly [Mount, string, (readonly Saved[])?][] = [
    [volume('/data'), 'saved'],
    [bind('/srv/shop/uploads', '/app/uploads'), 'saved'],
    [volume('/var/lib/db'), 'saved by app/postgres', [server]],
    [volume('/var/lib/db/data'), 'saved by app/postgres', [server]],
    [volume('/data'), 'saved', [database]],
    [
      volume('/data', { readOnly: true }),
      'the service only reads it; name it in lifeboat.files to save it all the same',
    ],
    [bind('/var/run/docker.sock', '/var/run/docker.sock'), 'the socket of Docker'],
    [bind('/run/user/1000/docker.sock', '/docker'), 'the socket of Docker'],
    [bind('/srv/secret', '/run/secrets/password'), 'secrets are not copied'],
    [bind('/etc/localtime', '/etc/localtime'), 'a part of the host, not of the app'],
    [bind('/', '/host'), 'a part of the host, not of the app'],
    [{ type: 'tmpfs', target: '/tmp', readOnly: false }, 'in memory: it is gone with the container'],
    [{ type: 'other', target: '/pipe', readOnly: false }, 'a kind of mount that a helper cannot share'],
  ];
  for (const [mount, expected, saved] of cases) assert.equal(why(mount, saved), expected, JSON.stringify(mount));
});

it('saves what is named: volumes, mounts and paths in them, also what the service only reads', () => {
  const app = container(volume('/data', { readOnly: true }), volume('/more'), bind('/srv/x', '/x'));
  for (const [named, path, inside] of [
    ['v-data', '/data', '/'],
    ['shop_v-more', '/more', '/'],
    ['/x', '/x', '/'],
    ['/x/', '/x', '/'],
    ['/data/sub/folder', '/data/sub/folder', '/sub/folder'],
  ] as const) {
    const { folders } = select(app, options(named), []);
    assert.deepEqual(
      folders.map((folder) => [folder.path, folder.location.inside]),
      [[path, inside]],
      named,
    );
  }
  const { left } = select(app, options('/more'), []);
  assert.deepEqual(
    left.map((each) => each.why),
    ['the service only reads it; name it in lifeboat.files to save it all the same', 'lifeboat.files does not name it'],
  );
  for (const missing of ['nothing', '/elsewhere'])
    assert.throws(
      () => select(app, options(missing), []),
      (error) => isLifeboatError(error, 'SOURCE_NOT_FOUND'),
    );
});

it('leaves databases in a folder to who saves them, with what lies beside them', () => {
  const { folders } = select(container(volume('/data')), options('all', { exclude: '*.tmp' }), [database, server]);
  assert.deepEqual(folders[0]?.rules, {
    folder: '/data',
    include: [],
    exclude: ['*.tmp'],
    leave: ['app.db', 'app.db-wal', 'app.db-shm', 'app.db-journal'],
  });
});
