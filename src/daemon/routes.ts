import type { IncomingMessage, ServerResponse } from 'node:http';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Log } from '../domain/log.ts';
import { newId, shortId } from '../domain/naming.ts';
import { type Hello, toWireError } from '../domain/wire.ts';
import type { EventBus } from '../runs/history/event-bus.ts';
import type { Operations } from '../runs/operations.ts';
import { BackupAsk, CopyAsk, IdAsk, ListAsk, LogsAsk, NoAsk, RestoreAsk, readAsk, VerifyAsk } from './asks.ts';
import type { Health } from './health.ts';
import { createLineStream, type LineStream } from './line-stream.ts';
import type { Handler } from './server.ts';

export interface RouteParts {
  readonly operations: Operations;
  readonly bus: EventBus;
  readonly hello: Hello;
  readonly log: Log;
  health(): Health;
  /** Ends what clients asked for; a client that leaves does not. */
  readonly stop: AbortSignal;
  now(): Date;
}

/** What is asked: the parts of the path that vary, and the body. */
interface Asked {
  readonly id: string;
  readonly query: URLSearchParams;
  readonly body: unknown;
  /** Fires when the client leaves. */
  readonly left: AbortSignal;
}

interface Route {
  readonly method: 'GET' | 'POST';
  /** `:id` stands for one part of the path. */
  readonly path: string;
  /** Answers with one JSON document. */
  readonly answer?: (asked: Asked) => Promise<unknown>;
  /** Answers with lines: the events of the run, then its result. */
  readonly follow?: (asked: Asked) => Promise<unknown>;
  /** The same for a run, which has an id and goes on when the client leaves. */
  readonly run?: (asked: Asked, run: string, signal: AbortSignal) => Promise<unknown>;
}

const largestAsk = 64 * 1024;

/** Every method of the operations as a request. */
export function createHandler(parts: RouteParts): Handler {
  const { operations } = parts;
  /** Runs that were asked for; one that still waits for its turn can be cancelled too. */
  const asked = new Map<string, AbortController>();
  const cancel = async (id: string, left: AbortSignal): Promise<string> => {
    const found = [...asked].find(([run]) => run === id || shortId(run) === id);
    if (!found) return operations.cancel(id, left);
    found[1].abort(new LifeboatError('CANCELLED', 'a person cancelled it'));
    return found[0];
  };
  const routes: readonly Route[] = [
    { method: 'GET', path: '/v1/hello', answer: async () => parts.hello },
    { method: 'GET', path: '/v1/status', answer: async ({ left }) => operations.status(left) },
    {
      method: 'GET',
      path: '/v1/backups',
      answer: async ({ query, left }) => operations.list(readAsk(ListAsk, Object.fromEntries(query)), left),
    },
    { method: 'GET', path: '/v1/backups/:id', answer: async ({ id, left }) => operations.show(idOf(id), left) },
    {
      method: 'GET',
      path: '/v1/runs/:id',
      answer: async ({ id, left }) => operations.logs(readAsk(LogsAsk, id === 'latest' ? {} : { run: id }), left),
    },
    { method: 'POST', path: '/v1/runs/:id/cancel', answer: async ({ id, left }) => cancel(idOf(id), left) },
    {
      method: 'POST',
      path: '/v1/plan',
      follow: async ({ body, left }) => {
        readAsk(NoAsk, body);
        return operations.plan(left);
      },
    },
    {
      method: 'POST',
      path: '/v1/backup',
      run: async ({ body }, run, signal) =>
        operations.backup({ ...readAsk(BackupAsk, body), trigger: 'manual', run }, signal),
    },
    {
      method: 'POST',
      path: '/v1/restore/plan',
      follow: async ({ body, left }) => operations.planRestore(readAsk(RestoreAsk, body), left),
    },
    {
      method: 'POST',
      path: '/v1/restore',
      run: async ({ body }, run, signal) => operations.restore({ ...readAsk(RestoreAsk, body), run }, signal),
    },
    {
      method: 'POST',
      path: '/v1/doctor',
      follow: async ({ body, left }) => {
        readAsk(NoAsk, body);
        return operations.doctor(left);
      },
    },
    {
      method: 'POST',
      path: '/v1/verify',
      run: async ({ body }, run, signal) => operations.verify({ ...readAsk(VerifyAsk, body), run }, signal),
    },
    {
      method: 'POST',
      path: '/v1/copy',
      run: async ({ body }, run, signal) => operations.copy({ ...readAsk(CopyAsk, body), run }, signal),
    },
  ];
  return (request, response) => {
    serve(parts, routes, asked, request, response).catch((error: unknown) => {
      parts.log.error('a request could not be answered', { error });
      response.destroy();
    });
  };
}

// --- utils ---

async function serve(
  parts: RouteParts,
  routes: readonly Route[],
  runs: Map<string, AbortController>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://daemon');
  if (url.pathname === '/healthz') {
    const health = parts.health();
    sendJson(response, health.isHealthy ? 200 : 503, health);
    return;
  }
  const left = new AbortController();
  response.on('close', () => left.abort(new LifeboatError('CANCELLED', 'the client left')));
  try {
    const { route, id } = findRoute(routes, request.method ?? '', url.pathname);
    const asked: Asked = { id, query: url.searchParams, body: await readBody(request), left: left.signal };
    if (route.run) await streamRun(parts, route.run, runs, asked, response);
    else if (route.follow) await streamResult(parts, route.follow(asked), createLines(response));
    else sendJson(response, 200, (await route.answer?.(asked)) ?? null);
  } catch (error) {
    if (!response.destroyed) sendJson(response, 400, { error: failure(parts, error) });
  }
}

async function streamRun(
  parts: RouteParts,
  start: NonNullable<Route['run']>,
  runs: Map<string, AbortController>,
  asked: Asked,
  response: ServerResponse,
): Promise<void> {
  const run = newId(parts.now());
  const controller = new AbortController();
  runs.set(run, controller);
  const lines = createLines(response);
  lines.write({ run });
  const unsubscribe = parts.bus.subscribe({
    name: 'client',
    read: (event) => {
      if (event.run === run) lines.write({ event });
    },
  });
  const signal = AbortSignal.any([parts.stop, controller.signal]);
  try {
    await streamResult(parts, start(asked, run, signal), lines);
  } finally {
    unsubscribe();
    runs.delete(run);
  }
}

async function streamResult(parts: RouteParts, result: Promise<unknown>, lines: LineStream): Promise<void> {
  try {
    lines.write({ result: (await result) ?? null });
  } catch (error) {
    lines.write({ error: failure(parts, error) });
  }
  await lines.end();
}

function createLines(response: ServerResponse): LineStream {
  response.writeHead(200, { 'content-type': 'application/x-ndjson' });
  return createLineStream(response);
}

function failure({ log }: RouteParts, thrown: unknown) {
  const error = asLifeboatError(thrown);
  // The client shows what happened; where in the code belongs here.
  if (error.code === 'INTERNAL') log.error('a request failed unexpectedly', { error });
  return toWireError(error);
}

function findRoute(routes: readonly Route[], method: string, path: string): { route: Route; id: string } {
  const parts = path.split('/');
  for (const route of routes) {
    const wanted = route.path.split('/');
    const isMatch = wanted.length === parts.length && wanted.every((part, i) => part === ':id' || part === parts[i]);
    if (!isMatch || route.method !== method) continue;
    return { route, id: parts[wanted.indexOf(':id')] ?? '' };
  }
  throw new LifeboatError('USAGE', `the daemon knows no ${method} ${path}`, {
    hint: 'it may be of another version than this command: docker compose up -d sidecar',
  });
}

function idOf(id: string): string {
  return readAsk(IdAsk, { id }).id;
}

async function readBody(request: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > largestAsk) throw new LifeboatError('USAGE', 'the request is too large');
    chunks.push(chunk);
  }
  if (bytes === 0) return {};
  try {
    return JSON.parse(Buffer.concat(chunks).toString());
  } catch (cause) {
    throw new LifeboatError('USAGE', 'the request is no JSON', { cause });
  }
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  const text = JSON.stringify(body);
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) });
  response.end(text);
}
