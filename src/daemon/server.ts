import { chmod, mkdir, rm } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect } from 'node:net';
import { basename, dirname } from 'node:path';
import { exitCodes, LifeboatError } from '../domain/errors.ts';

/** Our own folder's name; one that somebody else named is not ours to close. */
const ownFolder = 'lifeboat-control';

/** How long clients get to take their last answer. */
const farewellMs = 2_000;

export type Handler = (request: IncomingMessage, response: ServerResponse) => void;

/**
 * Listens on a Unix socket that only its owner may use. Rejects LOCKED when another daemon answers there, CONFIG_INVALID
 * when the folder cannot be made. Disposing stops listening and waits a little for who is still there.
 */
export async function listen(socketPath: string, handle: Handler): Promise<AsyncDisposable> {
  const folder = dirname(socketPath);
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    if (basename(folder) === ownFolder) await chmod(folder, 0o700);
    if (await isAnswering(socketPath)) throw taken(socketPath);
    await rm(socketPath, { force: true }); // Left by a daemon that was killed.
  } catch (error) {
    throw error instanceof LifeboatError ? error : unusable(folder, error);
  }
  const server = createServer(handle);
  // Asking is quick; answering may take as long as a backup does.
  server.requestTimeout = 10_000;
  server.timeout = 0;
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(unusable(folder, error)));
    server.listen(socketPath, resolve);
  });
  await chmod(socketPath, 0o600);
  return {
    [Symbol.asyncDispose]: () =>
      new Promise((resolve) => {
        // Who waits for the end of a run shall still hear of it.
        const patience = setTimeout(() => server.closeAllConnections(), farewellMs);
        server.close(() => {
          clearTimeout(patience);
          resolve();
        });
      }),
  };
}

// --- utils ---

function isAnswering(socketPath: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(socketPath);
    const settle = (answer: boolean) => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('connect', () => settle(true));
    socket.once('error', () => settle(false));
  });
}

function taken(socketPath: string): LifeboatError {
  return new LifeboatError('LOCKED', `another daemon answers at ${socketPath}`, {
    hint: 'one daemon per container; end the other one first',
  });
}

function unusable(folder: string, cause: unknown): LifeboatError {
  const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
  return new LifeboatError('CONFIG_INVALID', `the control socket cannot be made in ${folder} (${code})`, {
    hint: `with a read-only container, add to it: tmpfs: [${folder}]`,
    context: { exitCode: exitCodes.cannotStart },
    cause,
  });
}
