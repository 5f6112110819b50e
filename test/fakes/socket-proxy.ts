import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** What the proxy does to the bytes that come from the Engine on hijacked connections (exec, attach). */
export interface Trouble {
  /** Ends the connection cleanly when nothing came for this long, as proxies with time-outs do. */
  readonly idleCutMs?: number;
  /** Resets the connection after this many bytes. */
  readonly resetAfter?: number;
  /** Flips a bit of this byte. */
  readonly flipAt?: number;
  /** Bytes per second that are passed on. */
  readonly rate?: number;
  /** Never tells the client that the Engine has ended the connection. */
  readonly swallowEnd?: boolean;
  /** What becomes of the end of the client's side: kept from the Engine, or taken for the end of both. */
  readonly halfClose?: 'swallowed' | 'torn';
}

export interface SocketProxy extends AsyncDisposable {
  /** For DOCKER_HOST. */
  readonly host: string;
  trouble: Trouble;
  /** Refuses and cuts everything until set back, as a stopped dockerd does. */
  away: boolean;
  /** Answers 403 to requests whose first line matches, as a socket proxy does for what it does not allow. */
  forbidden: RegExp | undefined;
  /** Answers 403 to requests whose first line it does not allow. */
  allows: ((line: string) => boolean) | undefined;
  /** Changes what the Engine says before it is passed on; the length must stay the same. */
  rewrite: ((said: string) => string) | undefined;
  /** So many requests whose first line matches never get an answer. */
  mute: { readonly request: RegExp; times: number } | undefined;
}

/** A proxy in front of the Engine's unix socket that makes trouble on demand. */
export async function startSocketProxy(dockerHost: string): Promise<SocketProxy> {
  const target = dockerHost.replace(/^unix:\/\//, '');
  const folder = await mkdtemp(join(tmpdir(), 'lifeboat-proxy-'));
  const path = join(folder, 'docker.sock');
  const sockets = new Set<Socket>();
  const state = {
    trouble: {} as Trouble,
    away: false,
    forbidden: undefined as RegExp | undefined,
    rewrite: undefined as SocketProxy['rewrite'],
    allows: undefined as SocketProxy['allows'],
    mute: undefined as SocketProxy['mute'],
  };

  const server = createServer({ allowHalfOpen: true }, (client) => {
    if (state.away) return client.destroy();
    const engine = connect({ path: target, allowHalfOpen: true });
    for (const socket of [client, engine]) {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      socket.on('close', () => sockets.delete(socket));
    }
    let hijacked = false;
    client.on('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1', 0, 2048);
      if (/^(GET|POST|PUT|DELETE|HEAD) /.test(head)) {
        const line = head.split('\r\n')[0] ?? '';
        if (state.forbidden?.test(line) || state.allows?.(line) === false) {
          client.end('HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
          return;
        }
        if (state.mute && state.mute.times > 0 && state.mute.request.test(line)) {
          state.mute.times -= 1;
          return;
        }
        if (/^upgrade: tcp/im.test(head)) hijacked = true;
      }
      engine.write(chunk);
    });
    client.on('end', () => {
      const { halfClose } = hijacked ? state.trouble : {};
      if (halfClose === 'torn') client.destroy();
      else if (halfClose !== 'swallowed') engine.end();
    });
    client.on('close', () => engine.destroy());
    const said = (chunk: Buffer) =>
      state.rewrite ? Buffer.from(state.rewrite(chunk.toString('latin1')), 'latin1') : chunk;
    void pass(engine, client, () => (hijacked ? state.trouble : undefined), said);
  });
  await new Promise<void>((resolve) => server.listen(path, resolve));
  return {
    host: `unix://${path}`,
    get trouble() {
      return state.trouble;
    },
    set trouble(value) {
      state.trouble = value;
    },
    get away() {
      return state.away;
    },
    set away(value) {
      state.away = value;
      if (value) for (const socket of sockets) socket.destroy();
    },
    get forbidden() {
      return state.forbidden;
    },
    set forbidden(value) {
      state.forbidden = value;
    },
    get allows() {
      return state.allows;
    },
    set allows(value) {
      state.allows = value;
    },
    get rewrite() {
      return state.rewrite;
    },
    set rewrite(value) {
      state.rewrite = value;
    },
    get mute() {
      return state.mute;
    },
    set mute(value) {
      state.mute = value;
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
      await rm(folder, { recursive: true });
    },
  };
}

/** Engine → client, with the trouble that is on. The answer's header is not counted. */
async function pass(
  from: Socket,
  to: Socket,
  trouble: () => Trouble | undefined,
  said: (chunk: Buffer) => Buffer,
): Promise<void> {
  let seen = 0;
  let inHeader = true;
  let tail: Buffer = Buffer.alloc(0);
  let idle: NodeJS.Timeout | undefined;
  try {
    for await (const received of from) {
      let chunk: Buffer = said(received);
      clearTimeout(idle);
      const now = trouble();
      if (!now) {
        to.write(chunk);
        continue;
      }
      const { resetAfter, flipAt, rate, idleCutMs } = now;
      if (inHeader) {
        // Its end may come in pieces.
        const joined = Buffer.concat([tail, chunk]);
        const end = joined.indexOf('\r\n\r\n');
        inHeader = end < 0;
        const header = end < 0 ? chunk : chunk.subarray(0, end + 4 - tail.length);
        tail = joined.subarray(-3);
        to.write(header);
        chunk = chunk.subarray(header.length);
      }
      if (flipAt !== undefined && flipAt >= seen && flipAt < seen + chunk.length) {
        chunk = Buffer.from(chunk);
        chunk[flipAt - seen] = (chunk[flipAt - seen] ?? 0) ^ 0x40;
      }
      seen += chunk.length;
      if (resetAfter !== undefined && seen > resetAfter) {
        to.write(chunk.subarray(0, chunk.length - (seen - resetAfter)));
        await new Promise((resolve) => setTimeout(resolve, 50));
        to.destroy();
        from.destroy();
        return;
      }
      if (rate) await new Promise((resolve) => setTimeout(resolve, (chunk.length / rate) * 1000));
      if (!to.write(chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')]);
      if (idleCutMs) idle = setTimeout(() => to.end(), idleCutMs);
    }
    if (!trouble()?.swallowEnd) to.end();
  } catch {
    to.destroy(); // Either side went away; the other is told by its own connection.
  } finally {
    clearTimeout(idle);
  }
}
