import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import { visible } from '../domain/grammar.ts';
import { beginning } from './clean.ts';
import { Undelivered } from './undelivered.ts';

/** One HTTP request. */
export interface Posting {
  /** Where to; a secret. */
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface Answer {
  readonly status: number;
  readonly retryAfterMs: number | undefined;
  /** The beginning of the answer's text, as the receiver wrote it. */
  readonly text: string;
}

/**
 * Posts once and never follows a redirect. Resolves with whatever the receiver answered; rejects with `Undelivered`
 * (again) when there was no answer in time, with CANCELLED when the signal was aborted.
 */
export type Post = (posting: Posting, signal: AbortSignal) => Promise<Answer>;

export interface Poster {
  readonly post: Post;
  /** Ends connections that are still open. */
  close(): Promise<void>;
}

/** Receivers that need longer than this are taken for dead. */
const standardTimeoutMs = 15_000;
/** More of an answer is not read: it only says what was wrong. */
const longestAnswer = 4096;

export function createPoster({ timeoutMs = standardTimeoutMs, now = () => new Date() } = {}): Poster {
  let opened: Promise<Client> | undefined;
  return {
    post: async ({ url, headers, body }, outer) => {
      opened ??= openClient(timeoutMs);
      const { request, agent } = await opened;
      const deadline = AbortSignal.timeout(timeoutMs);
      const signal = AbortSignal.any([outer, deadline]);
      try {
        const answered = request(withoutLogin(url), {
          dispatcher: agent,
          method: 'POST',
          headers: { ...headers, ...loginOf(url) },
          body,
          signal,
          // Messages are rare: a connection that is kept would be dead at the next one.
          reset: true,
        });
        const answer = await unlessAborted(answered, signal);
        const text = await beginningOf(answer.body);
        return { status: answer.statusCode, retryAfterMs: retryAfter(answer.headers['retry-after'], now()), text };
      } catch (thrown) {
        if (outer.aborted) throw asLifeboatError(outer.reason);
        if (deadline.aborted) throw new Undelivered('again', `${url.host} did not answer within ${timeoutMs / 1000} s`);
        throw new Undelivered('again', `${url.host} cannot be reached (${reasonOf(thrown)})`);
      }
    },
    close: async () => {
      await (await opened)?.agent.destroy();
    },
  };
}

/** Resolves when the answer says that the message was taken; otherwise rejects with what it means. */
export function assertTaken({ status, retryAfterMs, text }: Answer, host: string): void {
  if (status >= 200 && status < 300) return;
  const said = beginning(visible(text.trim()), 100);
  const answered = `${host} answered ${status}${said ? ` (${said})` : ''}`;
  if (status === 410) throw new Undelivered('gone', `${answered}: it wants no more messages`);
  if (status >= 300 && status < 400)
    throw new Undelivered('again', `${host} answered ${status}: redirects are not followed`);
  // The same bytes would get the same answer, and meanwhile hold up the messages behind them.
  if (status === 400 || status === 413 || status === 422) throw new Undelivered('refused', answered);
  throw new Undelivered('again', answered, retryAfterMs);
}

/** A web address as a URL; throws CONFIG_INVALID without repeating it. */
export function webhookUrl(channel: string, text: string): URL {
  const url = URL.parse(text);
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return url;
  throw new LifeboatError('CONFIG_INVALID', `the URL of channel ${channel} (not shown) is not a web address`, {
    hint: 'it begins with https://',
  });
}

// --- utils ---

interface Client {
  readonly request: typeof import('undici').request;
  readonly agent: import('undici').Agent;
}

async function openClient(timeoutMs: number): Promise<Client> {
  // Takes a fifth of a second to load, and most commands tell nothing.
  // Bundled, a CommonJS package that is imported late has everything on its default export, and only there.
  const { default: undici } = await import('undici');
  const { Agent, request } = undici;
  return { request, agent: new Agent({ connect: { timeout: timeoutMs } }) };
}

/** While it connects, undici does not hear of an abort. */
function unlessAborted<T>(act: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = () => reject(signal.reason);
    if (signal.aborted) abort();
    signal.addEventListener('abort', abort, { once: true });
    act.then(resolve, reject);
  });
}

async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const piece of body) {
      pieces.push(piece);
      bytes += piece.length;
      if (bytes >= longestAnswer) break;
    }
  } catch {
    // The status is known and is what counts; a text that breaks off, or never ends, is only less of an explanation.
  }
  return Buffer.concat(pieces).toString('utf8').slice(0, longestAnswer);
}

/** Seconds, or a date. */
function retryAfter(header: string | string[] | undefined, now: Date): number | undefined {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return undefined;
  const ms = /^\d{1,9}$/.test(text.trim()) ? Number(text) * 1000 : Date.parse(text) - now.getTime();
  return ms > 0 ? ms : undefined;
}

function withoutLogin(url: URL): URL {
  const bare = new URL(url);
  bare.username = '';
  bare.password = '';
  return bare;
}

/** Clients of HTTP ignore a login in the address; whoever writes one there means this. */
function loginOf({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const login = `${decoded(username)}:${decoded(password)}`;
  return { authorization: `Basic ${Buffer.from(login).toString('base64')}` };
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // A stray % means that it was never encoded.
    return text;
  }
}

/** Only the kind: messages of network errors may repeat addresses. */
function reasonOf(thrown: unknown): string {
  if (!(thrown instanceof Error)) return 'unknown';
  return 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : thrown.name;
}
