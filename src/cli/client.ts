import { type IncomingMessage, request } from 'node:http';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { shortId } from '../domain/naming.ts';
import type { Emit } from '../domain/run-event.ts';
import { fromWireError, type Hello, type StreamLine, type WireError } from '../domain/wire.ts';
import type { Operations } from '../runs/operations.ts';

/** The operations, done by the daemon behind the control socket. */
export interface DaemonClient {
  readonly hello: Hello;
  readonly operations: Operations;
}

export interface ClientOptions {
  readonly socketPath: string;
  /** Receives the events of the runs this client asked for. */
  readonly emit: Emit;
  /**
   * What happens to a run when the one who asked for it interrupts: somebody at a terminal leaves and the run goes on, as
   * nobody knows better than they whether it should; a script that is ended ends what it began.
   */
  readonly onInterrupt: 'detach' | 'cancel';
  say(line: string): void;
}

const helloMs = 5_000;

/** Connects to the daemon; undefined when there is none. Rejects DAEMON_UNAVAILABLE when one is there but does not answer. */
export async function connectDaemon(options: ClientOptions): Promise<DaemonClient | undefined> {
  const { socketPath } = options;
  const signal = AbortSignal.timeout(helloMs);
  let hello: Hello;
  try {
    hello = (await json(await send(socketPath, 'GET', '/v1/hello', undefined, signal))) as Hello;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // No socket, or one that a killed daemon left behind.
    if (code === 'ENOENT' || code === 'ECONNREFUSED' || code === 'ENOTDIR') return undefined;
    throw notAnswering(socketPath, error);
  }
  return { hello, operations: createClientOperations(options) };
}

function createClientOperations(options: ClientOptions): Operations {
  const { socketPath } = options;
  const get = async <T>(path: string, signal: AbortSignal) =>
    (await json(await sendChecked(socketPath, 'GET', path, undefined, signal))) as T;
  const stream = <T>(path: string, body: unknown, signal: AbortSignal) => follow<T>(options, path, body, signal);
  return {
    plan: (signal) => stream('/v1/plan', {}, signal),
    // What a person asks for is manual; the daemon says so itself.
    backup: ({ targets }, signal) => stream('/v1/backup', { targets }, signal),
    list: ({ target }, signal) =>
      get(`/v1/backups${target === undefined ? '' : `?target=${encodeURIComponent(target)}`}`, signal),
    show: (id, signal) => get(`/v1/backups/${encodeURIComponent(id)}`, signal),
    planRestore: (ask, signal) => stream('/v1/restore/plan', ask, signal),
    restore: (ask, signal) => stream('/v1/restore', ask, signal),
    verify: ({ target, at, level }, signal) => stream('/v1/verify', { target, at, level }, signal),
    copy: ({ target, all, since, to }, signal) => stream('/v1/copy', { target, all, since, to }, signal),
    doctor: (signal) => stream('/v1/doctor', {}, signal),
    status: (signal) => get('/v1/status', signal),
    cancel: async (run, signal) => {
      const path = `/v1/runs/${encodeURIComponent(run)}/cancel`;
      return (await json(await sendChecked(socketPath, 'POST', path, {}, signal))) as string;
    },
    logs: ({ run }, signal) => get(`/v1/runs/${encodeURIComponent(run ?? 'latest')}`, signal),
  };
}

/** Asks for something that takes long: its events as they happen, then its result. */
async function follow<T>(options: ClientOptions, path: string, body: unknown, signal: AbortSignal): Promise<T> {
  const { socketPath, emit, onInterrupt, say } = options;
  const leave = new AbortController();
  let run: string | undefined;
  const interrupt = () => {
    if (run === undefined || onInterrupt === 'detach') {
      if (run !== undefined)
        say(`Detached. Run ${shortId(run)} goes on: lifeboat status, lifeboat cancel ${shortId(run)}`);
      leave.abort(signal.reason);
      return;
    }
    const path = `/v1/runs/${encodeURIComponent(run)}/cancel`;
    // Its result comes over the stream; a run that ended by itself meanwhile is no failure.
    sendChecked(socketPath, 'POST', path, {}, leave.signal).then(
      (response) => response.resume(),
      (error: unknown) => leave.abort(error),
    );
  };
  signal.throwIfAborted();
  signal.addEventListener('abort', interrupt, { once: true });
  try {
    const response = await sendChecked(socketPath, 'POST', path, body, leave.signal);
    for await (const line of lines(response)) {
      const told = JSON.parse(line) as StreamLine;
      if ('run' in told) run = told.run;
      else if ('event' in told) emit(told.event);
      else if ('error' in told) throw fromWireError(told.error);
      else return told.result as T;
      if (leave.signal.aborted) throw leave.signal.reason;
    }
  } catch (error) {
    if (leave.signal.aborted) throw asLifeboatError(signal.reason);
    throw (error as NodeJS.ErrnoException).code === 'ECONNRESET' ? ended() : asLifeboatError(error);
  } finally {
    signal.removeEventListener('abort', interrupt);
    leave.abort();
  }
  throw ended();
}

// --- utils ---

/** A request whose refusal is thrown as the error it was on the other side. */
async function sendChecked(...ask: Parameters<typeof send>): Promise<IncomingMessage> {
  const response = await send(...ask).catch((error: unknown) => {
    const [socketPath, , , , signal] = ask;
    throw signal.aborted ? asLifeboatError(signal.reason) : notAnswering(socketPath, error);
  });
  if (response.statusCode === 200) return response;
  const { error } = (await json(response)) as { error: WireError };
  throw fromWireError(error);
}

function send(
  socketPath: string,
  method: 'GET' | 'POST',
  path: string,
  body: unknown,
  signal: AbortSignal,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const text = body === undefined ? '' : JSON.stringify(body);
    const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
    const sent = request({ socketPath, method, path, headers, agent: false, signal }, resolve);
    sent.on('error', reject);
    sent.end(text);
  });
}

async function json(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  for await (const chunk of response as AsyncIterable<Buffer>) chunks.push(chunk);
  return JSON.parse(Buffer.concat(chunks).toString());
}

async function* lines(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  response.setEncoding('utf8');
  for await (const chunk of response as AsyncIterable<string>) {
    const found = (rest + chunk).split('\n');
    rest = found.pop() ?? '';
    yield* found.filter((line) => line !== '');
  }
}

function notAnswering(socketPath: string, cause: unknown): LifeboatError {
  const why = (cause as NodeJS.ErrnoException).code ?? (cause as Error).name;
  return new LifeboatError('DAEMON_UNAVAILABLE', `the daemon at ${socketPath} does not answer (${why})`, {
    hint: 'docker compose restart sidecar',
    retryable: true,
    cause,
  });
}

function ended(): LifeboatError {
  return new LifeboatError('DAEMON_UNAVAILABLE', 'the daemon ended before this was done', {
    hint: 'what it had stopped is started at its next start; lifeboat status tells how the run went',
    retryable: true,
  });
}
