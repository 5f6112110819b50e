import assert from 'node:assert/strict';
import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { suite, test } from 'node:test';
import type { Message, Notifier } from '../../src/notifiers/notifier.ts';
import { createPoster, type Post } from '../../src/notifiers/post.ts';
import type { Undelivered } from '../../src/notifiers/undelivered.ts';
import { everyMessage, hostileSources, messageAbout } from '../samples/message.ts';
import { failedSource, finishedRun } from '../samples/outcome.ts';

export interface Received {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly at: number;
}

/** What a receiver does with a request: a status, or anything at all. */
export type Reaction = number | ((response: ServerResponse, request: Received) => void);

/** A real HTTP server on this machine that remembers what it got. */
export interface Receiver extends AsyncDisposable {
  readonly url: URL;
  readonly received: readonly Received[];
  /** What it does with the next requests, in order; the last one holds for all that follow. */
  react(...reactions: readonly Reaction[]): void;
  /** Resolves when this many requests have come. */
  got(count: number): Promise<void>;
}

/** The path of a channel's address gives it away: it must be in no error and no warning. */
export const secretPath = '/services/T0CANARY/B0CANARY/s3cr3tp4th';

export async function openReceiver(...first: readonly Reaction[]): Promise<Receiver> {
  const received: Received[] = [];
  let reactions = [...first];
  let arrived = Promise.withResolvers<void>();
  const server = createServer(async (request, response) => {
    const { method, url: path, headers } = request;
    const entry = { method, path, headers, body: await text(request), at: performance.now() };
    received.push(entry);
    const reaction = (reactions.length > 1 ? reactions.shift() : reactions[0]) ?? 200;
    if (typeof reaction === 'number') response.writeHead(reaction).end(`status ${reaction}`);
    else reaction(response, entry);
    arrived.resolve();
    arrived = Promise.withResolvers();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${port}${secretPath}`),
    received,
    react: (...next) => {
      reactions = [...next];
    },
    got: async (count) => {
      while (received.length < count) await arrived.promise;
    },
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

const never = new AbortController().signal;
const failure = messageAbout(finishedRun([failedSource()]));
/** Long, so that a busy machine does not fail a test; short where a test waits for it. */
const patientMs = 15_000;
const hastyMs = 1500;

/** What every channel must do (see `Notifier`). */
export function testNotifier(name: string, create: (url: URL, post: Post) => Notifier): void {
  const check = (
    what: string,
    body: (notifier: Notifier, receiver: Receiver) => Promise<void>,
    timeoutMs = patientMs,
  ) =>
    test(what, { timeout: 30_000 }, async () => {
      const receiver = await openReceiver();
      const poster = createPoster({ timeoutMs });
      try {
        await body(create(receiver.url, poster.post), receiver);
      } finally {
        await poster.close();
        await receiver[Symbol.asyncDispose]();
      }
    });
  const rejection = async (notifier: Notifier, message: Message = failure): Promise<Undelivered> => {
    const error: unknown = await notifier.notify(message, never).then(
      () => assert.fail('it was not rejected'),
      (thrown: unknown) => thrown,
    );
    assert.ok(error instanceof Error);
    assert.equal(error.name, 'Undelivered');
    const all = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
    assert.doesNotMatch(all, /CANARY|s3cr3t/, 'the address is in the error');
    assert.match(error.message, /127\.0\.0\.1/, 'whoever reads it must know which receiver is meant');
    return error as Undelivered;
  };

  suite(`notifier ${name}`, () => {
    for (const message of everyMessage) {
      check(`posts ${message.type} (${message.command ?? 'no command'}) as JSON, once`, async (notifier, receiver) => {
        await notifier.notify(message, never);
        assert.equal(receiver.received.length, 1);
        const [request] = receiver.received;
        assert.equal(request?.method, 'POST');
        assert.equal(request?.path, secretPath);
        assert.match(request?.headers['content-type'] ?? '', /^application\/json/);
        assert.match(request?.headers['user-agent'] ?? '', /^Lifeboat\//);
        assert.equal(typeof JSON.parse(request?.body ?? ''), 'object');
      });
    }

    check('is satisfied with any 2xx, whatever the text', async (notifier, receiver) => {
      const endless: Reaction = (response) => {
        response.writeHead(200);
        const more = () => response.write('x'.repeat(65_536), (error) => error || setImmediate(more));
        more();
      };
      const cutOff: Reaction = (response) => {
        response.writeHead(200, { 'content-length': 100 }).write('half', () => response.destroy());
      };
      const reactions = [200, 201, 202, 204, endless, cutOff];
      receiver.react(...reactions);
      for (const _ of reactions) await notifier.notify(failure, never);
      assert.equal(receiver.received.length, reactions.length);
    });

    check(
      'is satisfied with a 2xx whose text never ends',
      async (notifier, receiver) => {
        receiver.react((response) => void response.writeHead(200).write('still talking'));
        await notifier.notify(failure, never);
        assert.equal(receiver.received.length, 1);
      },
      hastyMs,
    );

    check('says that it may work later when the receiver is in trouble', async (notifier, receiver) => {
      for (const status of [401, 403, 404, 408, 429, 500, 502, 503, 504]) {
        receiver.react(status);
        const error = await rejection(notifier);
        assert.equal(error.fate, 'again', String(status));
        assert.match(error.message, new RegExp(String(status)));
      }
    });

    check('says that the receiver wants no more after 410', async (notifier, receiver) => {
      receiver.react(410);
      assert.equal((await rejection(notifier)).fate, 'gone');
    });

    check('says that this message will never be taken after 413 and 422', async (notifier, receiver) => {
      for (const status of [413, 422]) {
        receiver.react(status);
        assert.equal((await rejection(notifier)).fate, 'refused');
      }
    });

    check('passes on when the receiver wants to be tried again', async (notifier, receiver) => {
      const inAMinute = new Date(Date.now() + 60_000).toUTCString();
      for (const [header, least, most] of [
        ['7', 7000, 7000],
        [inAMinute, 50_000, 60_000],
        ['0', undefined, undefined],
        ['soon', undefined, undefined],
        ['-5', undefined, undefined],
        ['Thu, 01 Jan 1970 00:00:00 GMT', undefined, undefined],
      ] as const) {
        receiver.react((response) => response.writeHead(429, { 'retry-after': header }).end());
        const { retryAfterMs } = await rejection(notifier);
        if (least === undefined) assert.equal(retryAfterMs, undefined, header);
        else assert.ok(retryAfterMs !== undefined && retryAfterMs >= least && retryAfterMs <= most, header);
      }
    });

    check('never follows a redirect', async (notifier, receiver) => {
      await using elsewhere = await openReceiver();
      for (const status of [301, 302, 303, 307, 308]) {
        receiver.react((response) => response.writeHead(status, { location: elsewhere.url.href }).end());
        const error = await rejection(notifier);
        assert.equal(error.fate, 'again');
        assert.match(error.message, /redirect/);
      }
      assert.equal(elsewhere.received.length, 0);
    });

    check(
      'gives up in time on a receiver that never answers, or never stops',
      async (notifier, receiver) => {
        const drip: Reaction = (response) => {
          response.writeHead(500);
          const timer = setInterval(() => response.write('.'), 50).unref();
          response.on('close', () => clearInterval(timer));
        };
        for (const [reaction, what] of [
          [() => undefined, /did not answer within/],
          [drip, /500/],
        ] as const) {
          receiver.react(reaction);
          const begun = performance.now();
          const error = await rejection(notifier);
          assert.equal(error.fate, 'again');
          assert.match(error.message, what);
          assert.ok(performance.now() - begun < hastyMs + 5000);
        }
      },
      hastyMs,
    );

    check('says that it may work later when the connection breaks', async (notifier, receiver) => {
      receiver.react((response) => response.destroy());
      assert.equal((await rejection(notifier)).fate, 'again');
      await receiver[Symbol.asyncDispose]();
      const refused = await rejection(notifier);
      assert.equal(refused.fate, 'again');
      assert.match(refused.message, /ECONNREFUSED/);
    });

    check('keeps the words of a hostile receiver harmless and short', async (notifier, receiver) => {
      receiver.react((response, { path }) => response.writeHead(500).end(`\u001b[2J\r\n${'x'.repeat(9999)} ${path}`));
      const { message } = await rejection(notifier);
      assert.doesNotMatch(message, /\p{Cc}/u);
      assert.ok(message.length < 300);
    });

    check('ends at once when it is cancelled', async (notifier, receiver) => {
      receiver.react(() => undefined);
      const abort = new AbortController();
      const sent = notifier.notify(failure, abort.signal);
      await receiver.got(1);
      const begun = performance.now();
      abort.abort();
      await assert.rejects(sent, { code: 'CANCELLED' });
      assert.ok(performance.now() - begun < 5000);
      await assert.rejects(notifier.notify(failure, abort.signal), { code: 'CANCELLED' });
      assert.equal(receiver.received.length, 1);
    });

    for (const count of [1, 2, 60]) {
      check(`sends ${count} sources with hostile texts as well-formed, small JSON`, async (notifier, receiver) => {
        await notifier.notify(messageAbout(finishedRun(hostileSources(count))), never);
        const body = receiver.received[0]?.body ?? '';
        assert.ok(Buffer.byteLength(body) < 20_000, `${Buffer.byteLength(body)} bytes`);
        assert.ok(body.isWellFormed());
        for (const value of textsIn(JSON.parse(body))) {
          assert.doesNotMatch(value, /[^\P{Cc}\n]/u, 'a control character arrived');
          assert.doesNotMatch(value, /[\u202a-\u202e\u2066-\u2069\u200b]/, 'an invisible character arrived');
          assert.ok(value.isWellFormed(), 'half a character arrived');
        }
      });
    }

    check('sends the same message the same way again', async (notifier, receiver) => {
      await notifier.notify(failure, never);
      await notifier.notify(failure, never);
      const [first, second] = receiver.received;
      assert.equal(second?.body, first?.body);
      assert.equal(second?.headers['webhook-id'], first?.headers['webhook-id']);
    });
  });
}

/** Every text in a JSON value, keys too. */
export function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, item]) => [key, ...textsIn(item)]);
}
