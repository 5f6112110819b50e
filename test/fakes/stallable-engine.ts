import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The Engine behind a socket that can fall silent. */
export async function stallableEngine(): Promise<AsyncDisposable & { host: string; stall(): void; goOn(): void }> {
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-stall-'));
  const path = join(folder, 'docker.sock');
  const target = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');
  const sockets = new Set<Socket>();
  let isStalled = false;
  const server = createServer({ allowHalfOpen: true }, (client) => {
    const engine = connect({ path: target, allowHalfOpen: true });
    for (const [from, to] of [
      [client, engine],
      [engine, client],
    ] as const) {
      sockets.add(from);
      from.on('data', (chunk) => {
        if (!isStalled) to.write(chunk);
      });
      from.on('end', () => to.end());
      from.on('error', () => to.destroy());
      from.on('close', () => sockets.delete(from));
    }
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    stall: () => {
      isStalled = true;
    },
    goOn: () => {
      isStalled = false;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true, force: true });
    },
  };
}
