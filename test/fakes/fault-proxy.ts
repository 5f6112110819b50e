import { createServer, type IncomingMessage, request, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { PassThrough, Transform } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { pipeline } from 'node:stream/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** One thing that goes wrong, for the requests whose `METHOD /url` matches. */
export interface Fault {
  readonly on: RegExp;
  /** How many of the matching requests suffer; all by default. */
  times?: number;
  /** Matching requests let through before the first that suffers. */
  skip?: number;
  /** Answered in the server's place; `afterwards` lets the server do its work first. */
  readonly answer?: { readonly status: number; readonly body?: string; readonly afterwards?: boolean };
  /** The connection is reset after so many bytes of the request's body. */
  readonly resetAfter?: number;
  /** The connection is reset after so many bytes of the answer's body. */
  readonly cutAfter?: number;
  /** Nothing more is said, nothing is closed. */
  readonly stall?: boolean;
  /** Bytes per second of the request's body. */
  readonly throttle?: number;
  /** The answer as the client shall see it. */
  readonly rewrite?: (answer: Answer) => Answer;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: Buffer;
}

export interface FaultProxy extends AsyncDisposable {
  readonly endpoint: string;
  /** `METHOD /url` of each request so far. */
  readonly requests: string[];
  inject(...faults: Fault[]): void;
}

/** An HTTP proxy in front of one server that breaks what it is told to break. */
export async function faultProxy(target: string): Promise<FaultProxy> {
  const faults: Fault[] = [];
  const requests: string[] = [];
  const server = createServer((req, res) => {
    const line = `${req.method} ${req.url}`;
    requests.push(line);
    const { socket } = req;
    socket.setMaxListeners(0); // One for each request that went through it.
    // A connection that was broken on purpose is no failure of the test.
    serve(new URL(target), faultFor(faults, line), req, res, socket).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    inject: (...more) => faults.push(...more),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function faultFor(faults: readonly Fault[], line: string): Fault | undefined {
  for (const fault of faults) {
    if (!fault.on.test(line) || fault.times === 0) continue;
    if (fault.skip) {
      fault.skip -= 1;
      continue;
    }
    if (fault.times !== undefined) fault.times -= 1;
    return fault;
  }
  return undefined;
}

async function serve(
  target: URL,
  fault: Fault | undefined,
  req: IncomingMessage,
  res: ServerResponse,
  socket: Socket,
): Promise<void> {
  if (fault?.stall) return;
  if (fault?.answer && !fault.answer.afterwards) {
    await pipeline(req, new Transform({ transform: (_chunk, _encoding, callback) => callback() }).resume());
    res.writeHead(fault.answer.status, { 'content-type': 'application/xml' }).end(fault.answer.body);
    return;
  }
  const { method, url, headers } = req;
  const onward = request({ host: target.hostname, port: target.port, method, path: url, headers, agent: false });
  const answered = new Promise<IncomingMessage>((resolve, reject) =>
    onward.on('response', resolve).on('error', reject),
  );
  answered.catch(() => undefined);
  // Whatever ends this side ends the other, or its socket would outlive the test.
  socket.once('close', () => onward.destroy());
  await pipeline(
    req,
    limited(fault?.resetAfter, fault?.throttle, () => socket.resetAndDestroy()),
    onward,
  );
  const answer = await answered;
  if (fault?.answer || fault?.rewrite) {
    const body = await buffer(answer);
    const seen = { status: answer.statusCode ?? 0, headers: answer.headers, body };
    const told = fault.rewrite?.(seen) ?? {
      status: fault.answer?.status ?? 0,
      headers: {},
      body: fault.answer?.body ?? '',
    };
    // The answer to a HEAD names the length of a body it does not have.
    const length = method === 'HEAD' ? {} : { 'content-length': told.body.length };
    res.writeHead(told.status, { ...told.headers, ...length }).end(told.body);
    return;
  }
  res.writeHead(answer.statusCode ?? 0, answer.headers);
  await pipeline(
    answer,
    limited(fault?.cutAfter, undefined, () => socket.resetAndDestroy()),
    res,
  );
}

/** Passes bytes on, at a rate, until a limit. */
function limited(most = Infinity, rate = Infinity, reset: () => void): Transform {
  if (most === Infinity && rate === Infinity) return new PassThrough();
  let bytes = 0;
  return new Transform({
    async transform(chunk: Buffer, _encoding, callback) {
      bytes += chunk.length;
      if (bytes > most) {
        reset();
        return callback(new Error('reset on purpose'));
      }
      if (rate !== Infinity) await sleep((chunk.length / rate) * 1000);
      callback(null, chunk);
    },
  });
}
