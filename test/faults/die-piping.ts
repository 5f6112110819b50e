import { spawn } from 'node:child_process';
import { connectDocker } from '../../src/docker/dockerode.ts';
import { createShell } from '../../src/docker/shell.ts';
import { forgetful } from '../support/testbed.ts';

/** Takes an endless dump through a named pipe and is killed while the bytes flow. */
const [, , id = '', owner = '', path = '', volume = ''] = process.argv;
const api = await connectDocker({ host: process.env.DOCKER_HOST });
const container = await api.container(id);
if (!container) throw new Error(`container ${id} is gone`);
const shell = createShell(api, { id: owner, run: owner, pipes: { path, volume } }, forgetful(api), container, 1_000);
const piped = await shell.pipe({ argv: ['cat', '/dev/zero'], place: { kind: 'helper' } });
const reader = spawn('cat', { stdio: [piped.fd, 'pipe', 'inherit'] });
let bytes = 0;
reader.stdout?.on('data', (chunk: Buffer) => {
  bytes += chunk.length;
  if (bytes > 10_000_000) process.kill(process.pid, 'SIGKILL');
});
await piped.run(AbortSignal.timeout(60_000));
