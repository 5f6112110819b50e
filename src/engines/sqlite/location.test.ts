import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container, Mount } from '../../domain/types.ts';
import { locate, searchable } from '../location.ts';
import { fileUri, rightsFor } from './copy.ts';
import { parseTold } from './counting.ts';
import { isOwnFile, keptPath, stagedPath } from './file.ts';
import { parseHeader } from './header.ts';

const volume = (target: string, more: Partial<Mount> = {}): Mount => ({
  type: 'volume',
  name: `v${target.replaceAll('/', '-')}`,
  target,
  readOnly: false,
  ...more,
});
const bind = (source: string, target: string, readOnly = false): Mount => ({ type: 'bind', source, target, readOnly });
const containerWith = (...mounts: Mount[]) => ({ mounts }) as unknown as Container;

describe('where a database lies', () => {
  const container = containerWith(volume('/data'), volume('/data/deep'), bind('/srv/app.db', '/app/app.db'), {
    type: 'tmpfs',
    target: '/cache',
    readOnly: false,
  });

  it('finds the innermost mount and the path inside it', () => {
    for (const [path, target, inside] of [
      ['/data/app.db', '/data', '/app.db'],
      ['/data/deep/x/../a.db', '/data/deep', '/a.db'],
      ['/data/deeper.db', '/data', '/deeper.db'],
    ] as const) {
      const location = locate(container, path);
      assert.ok(location.kind === 'mount');
      assert.deepEqual([location.mount.target, location.inside], [target, inside]);
    }
  });

  it('knows what only the container reaches', () => {
    for (const [path, why] of [
      ['/database/app.db', /layer/],
      ['/app/app.db', /single file/],
      ['/cache/app.db', /tmpfs/],
    ] as const) {
      const location = locate(container, path);
      assert.ok(location.kind === 'within');
      assert.match(location.why, why);
    }
  });

  it('looks into what belongs to the app, not into what belongs to the host', () => {
    const mounts = [
      volume('/data'),
      volume('/shared', { readOnly: true }),
      bind('/srv/app', '/config'),
      bind('/', '/host'),
      bind('/var/run/docker.sock', '/var/run/docker.sock'),
      bind('/etc/localtime', '/etc/localtime'),
      bind('/var/lib/docker/volumes', '/volumes'),
      bind('/root/secret', '/run/secrets/secret'),
    ];
    assert.deepEqual(
      searchable(containerWith(...mounts)).map(({ target }) => target),
      ['/data', '/config'],
    );
  });
});

describe('files beside a database', () => {
  it('are known as ours by their names', () => {
    for (const path of [stagedPath('/data/app.db', 'x'), keptPath('/data/app.db', 'x')]) {
      assert.ok(path.startsWith('/data/'));
      assert.ok(isOwnFile(path), path);
    }
    assert.equal(isOwnFile('/data/.lifeboat-new-folder/app.db'), false);
  });

  it('are made as the owner where he may, else as root for the owner', () => {
    const owner = { uid: 1000, gid: 100, mode: 0o640 };
    const asOwner = { user: '1000:100', capabilities: [] };
    const asRoot = { user: '0', capabilities: ['DAC_OVERRIDE', 'CHOWN'] };
    assert.deepEqual(rightsFor({ owner, folder: { uid: 1000, gid: 1000, mode: 0o755 } }), asOwner);
    assert.deepEqual(rightsFor({ owner, folder: { uid: 0, gid: 100, mode: 0o775 } }), asOwner);
    assert.deepEqual(rightsFor({ owner, folder: { uid: 0, gid: 0, mode: 0o1777 } }), asOwner);
    assert.deepEqual(rightsFor({ owner, folder: { uid: 0, gid: 0, mode: 0o755 } }), asRoot);
    assert.deepEqual(rightsFor({ owner: { ...owner, mode: 0o440 }, folder: { ...owner, mode: 0o755 } }), asRoot);
    assert.deepEqual(rightsFor({ owner, folder: undefined }), asRoot);
  });

  it('are addressed so that no character of a name means anything', () => {
    assert.equal(fileUri('/a b/we%i#r?d&mode=ro.db'), 'file:/a%20b/we%25i%23r%3Fd%26mode%3Dro.db?mode=rw');
  });
});

describe('what is read of a database', () => {
  it('is its mode and the version that wrote it', () => {
    const bytes = Buffer.alloc(100);
    bytes.write('SQLite format 3\0');
    bytes[18] = 2;
    bytes.writeUInt32BE(3_046_001, 96);
    assert.deepEqual(parseHeader([...bytes]), { isWal: true, version: '3.46.1' });
    assert.equal(parseHeader([...bytes.subarray(0, 99)]), undefined);
    bytes[15] = 32;
    assert.equal(parseHeader([...bytes]), undefined);
  });

  it('is told line by line, whatever tables are called', () => {
    const told = parseTold(
      [
        'lifeboat:objects {"tables":2}',
        'lifeboat:rows ["a\\nlifeboat:rows",3]',
        'lifeboat:rows ["__proto__",1]',
        'x',
      ].join('\n'),
    );
    assert.deepEqual(told.objects, { tables: 2 });
    assert.deepEqual(
      [...told.rows],
      [
        ['a\nlifeboat:rows', 3],
        ['__proto__', 1],
      ],
    );
  });
});
