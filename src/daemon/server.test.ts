import assert from 'node:assert/strict';
import { chmod, mkdir, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { servedDaemon } from '../../test/fakes/served-daemon.ts';
import { connectDaemon } from '../cli/client.ts';
import { listen } from './server.ts';

describe('the socket of the daemon', { concurrency: false }, () => {
  const at = servedDaemon();
  const { serve, client } = at;

  it('is no daemon where there is no socket, or one that a killed daemon left', async () => {
    const options = { socketPath: at.socketPath, emit: () => {}, onInterrupt: 'cancel', say: () => {} } as const;
    assert.equal(await connectDaemon(options), undefined);
    await mkdir(dirname(at.socketPath));
    const child = createServer().listen(at.socketPath);
    await new Promise((resolve) => child.once('listening', resolve));
    // A socket file without anybody behind it, as after kill -9.
    child.close();
    await writeFile(at.socketPath, '').catch(() => {});
    assert.equal(await connectDaemon(options), undefined);
    await serve({});
    assert.ok(await connectDaemon(options), 'the next daemon takes the place');
  });

  it('tells a daemon that does not answer from none', async () => {
    await mkdir(dirname(at.socketPath));
    const mute = createServer((socket) => void socket.on('error', () => {}).destroy()).listen(at.socketPath);
    at.held.defer(() => void mute.close());
    await new Promise((resolve) => mute.once('listening', resolve));
    await assert.rejects(client(), { code: 'DAEMON_UNAVAILABLE', hint: /restart/ });
  });

  it('lets nobody else in: the folder and the socket belong to its user alone', async () => {
    await mkdir(dirname(at.socketPath), { mode: 0o777 });
    await chmod(dirname(at.socketPath), 0o777);
    await serve({});
    assert.equal((await stat(dirname(at.socketPath))).mode & 0o777, 0o700);
    assert.equal((await stat(at.socketPath)).mode & 0o777, 0o600);
  });

  it('does not close a folder that somebody else named', async () => {
    at.socketPath = join(at.folder, 'mine.sock');
    await chmod(at.folder, 0o755);
    await serve({});
    assert.equal((await stat(at.folder)).mode & 0o777, 0o755);
    assert.equal((await stat(at.socketPath)).mode & 0o777, 0o600);
  });

  it('fault 44: refuses where another daemon answers', async () => {
    await serve({});
    await assert.rejects(
      listen(at.socketPath, () => {}),
      { code: 'LOCKED', message: /another daemon answers/ },
    );
    assert.ok(await client(), 'and leaves it alone');
  });

  it('says what to do where the folder cannot be made', async () => {
    await writeFile(join(at.folder, 'lifeboat-control'), '');
    await assert.rejects(
      listen(at.socketPath, () => {}),
      { code: 'CONFIG_INVALID', hint: /tmpfs: \[.*lifeboat-control\]/, context: { exitCode: 78 } },
    );
  });
});
