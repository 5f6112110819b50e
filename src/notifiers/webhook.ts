import { createHmac } from 'node:crypto';
import type { SigningKey } from '../domain/signing-secret.ts';
import { clip } from './clean.ts';
import type { Message, MessageError, MessageSource, Notifier, RunMessage } from './notifier.ts';
import { assertTaken, type Post } from './post.ts';
import { headlineOf } from './wording.ts';

/** What a webhook needs. */
export interface WebhookOptions {
  readonly name: string;
  readonly url: URL;
  /** None: the messages are not signed. */
  readonly keys: readonly SigningKey[];
  readonly post: Post;
  readonly userAgent: string;
  now(): Date;
}

/** Receivers may refuse more than 20 kB. */
const mostBytes = 19_500;
/** How long texts may be, tried in turn until the body is small enough. */
const textLimits = [2000, 500, 100];

/** Events as JSON to any receiver, in the form of Standard Webhooks: ready-made verifiers exist in ten languages. */
export function createWebhook({ name, url, keys, post, userAgent, now }: WebhookOptions): Notifier {
  return {
    name,
    notify: async (message, signal) => {
      const body = webhookBody(message);
      // The time of this attempt: receivers refuse what is older than five minutes.
      const timestamp = Math.floor(now().getTime() / 1000);
      const headers = {
        'content-type': 'application/json',
        'user-agent': userAgent,
        'webhook-id': message.id,
        'webhook-timestamp': String(timestamp),
        ...(keys.length > 0 ? { 'webhook-signature': sign(keys, message.id, timestamp, body) } : {}),
      };
      assertTaken(await post({ url, headers, body }, signal), url.host);
    },
  };
}

/** The body, always below 20 kB: long texts are shortened first, then the least interesting entries are left out. */
export function webhookBody(message: Message): string {
  let body = '';
  for (const limit of textLimits) {
    body = JSON.stringify(toJson(message, limit, Number.POSITIVE_INFINITY));
    if (Buffer.byteLength(body) <= mostBytes) return body;
  }
  const [shortest = 100] = textLimits.slice(-1);
  let most = message.type === 'config.problem' ? message.problems.length : message.sources.length;
  while (most > 0 && Buffer.byteLength(body) > mostBytes) {
    most -= 1;
    body = JSON.stringify(toJson(message, shortest, most));
  }
  return body;
}

// --- utils ---

/** `v1,…` for each key, separated by spaces. `body` must be exactly what is sent. */
function sign(keys: readonly SigningKey[], id: string, timestamp: number, body: string): string {
  const signed = `${id}.${timestamp}.${body}`;
  return keys.map((key) => `v1,${createHmac('sha256', key).update(signed).digest('base64')}`).join(' ');
}

function toJson(message: Message, limit: number, most: number): object {
  const { type, at, stack, host, lifeboat, command } = message;
  const common = { stack, host, lifeboat, summary: headlineOf(message).line };
  const data = message.type === 'config.problem' ? problems(message, limit, most) : run(message, limit, most);
  return { type, timestamp: at, data: { ...common, ...data, command } };
}

function problems(message: Extract<Message, { type: 'config.problem' }>, limit: number, most: number): object {
  const shown = message.problems.slice(0, most);
  return {
    problems: shown.map(({ where, message: text, hint }) => ({
      where,
      message: clip(text, limit),
      hint: hint && clip(hint, limit),
    })),
    problems_left_out: message.leftOut + message.problems.length - shown.length,
  };
}

function run(message: RunMessage, limit: number, most: number): object {
  const shown = message.sources.slice(0, most);
  return {
    run_id: message.run,
    trigger: message.trigger,
    result: message.result,
    started_at: message.startedAt,
    finished_at: message.finishedAt,
    error: message.error && errorJson(message.error, limit),
    sources_total: message.counts.total,
    sources_ok: message.counts.ok,
    sources: shown.map((source) => sourceJson(source, limit)),
    sources_left_out: message.leftOut + message.sources.length - shown.length,
  };
}

function sourceJson(source: MessageSource, limit: number): object {
  const { backup, lastGood, errors } = source;
  const [first, ...others] = errors.map((error) => errorJson(error, limit));
  return {
    stack: source.stack,
    service: source.service,
    source: source.source,
    result: source.result,
    recovered: source.hasRecovered,
    error: first,
    other_errors: others.length > 0 ? others : undefined,
    backup: backup && {
      id: backup.id,
      size_bytes: backup.plainBytes,
      stored_bytes: backup.storedBytes,
      destinations: backup.destinations,
    },
    // null: there is none; absent: it is not known.
    last_success_at: lastGood === 'none' ? null : lastGood?.at,
    last_success_id: lastGood === 'none' ? undefined : lastGood?.id,
    last_success_age_seconds: typeof lastGood === 'object' ? Math.floor(lastGood.ageMs / 1000) : undefined,
    next_run_at: source.nextRunAt,
  };
}

function errorJson({ code, message, hint, step, destination }: MessageError, limit: number): object {
  return { code, message: clip(message, limit), hint: hint && clip(hint, limit), step, destination };
}
