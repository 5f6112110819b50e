import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** A TCP relay that lets at most so many bytes per second towards `target`, over all connections together. */
export async function slowLink(
  target: URL,
  bytesPerSecond: number,
): Promise<AsyncDisposable & { readonly port: number }> {
  let free = performance.now();
  const paced = () =>
    new Transform({
      async transform(chunk: Buffer, _encoding, callback) {
        free = Math.max(free, performance.now()) + (chunk.length / bytesPerSecond) * 1_000;
        const pause = free - performance.now();
        if (pause > 1) await sleep(pause);
        callback(null, chunk);
      },
    });
  const open = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port), target.hostname);
    for (const socket of [near, far]) open.add(socket.on('close', () => open.delete(socket)));
    pipeline(near, paced(), far).catch(() => near.destroy());
    pipeline(far, near).catch(() => far.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
