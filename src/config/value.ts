import { type Occasion, occasions } from '../domain/channel.ts';
import { LifeboatError } from '../domain/errors.ts';
import { bool, type Grammar, grammar, oneOf } from '../domain/grammar.ts';
import { withoutUserinfo } from '../domain/redact.ts';

/** A name of the time zone database, in its usual spelling. */
export const timezone: Grammar<string> = grammar(
  { name: 'timezone', allowed: 'names of the IANA time zone database', examples: ['Europe/Vienna', 'UTC'] },
  (text, reject) => {
    try {
      return new Intl.DateTimeFormat('en', { timeZone: text }).resolvedOptions().timeZone;
    } catch {
      // RangeError is the answer to "is there such a zone?"; it says no more than that.
      return reject();
    }
  },
);

/** An absolute path. */
export const folder: Grammar<string> = grammar(
  { name: 'folder', allowed: 'an absolute path in the sidecar', examples: ['/data'] },
  (text, reject) => (text.startsWith('/') && !text.split('/').includes('..') ? text : reject()),
);

/** A name of a destination, an extra source, a stack: what Compose allows for services. */
export const name: Grammar<string> = grammar(
  {
    name: 'name',
    allowed: 'letters, digits, ".", "_" and "-", beginning with a letter or digit, at most 63',
    examples: ['offsite'],
  },
  (text, reject) => (/^[a-z0-9][a-z0-9._-]{0,62}$/i.test(text) ? text : reject()),
);

/** What our labels begin with, without the last dot. */
export const labelPrefix: Grammar<string> = grammar(
  {
    name: 'prefix',
    allowed: 'lower-case letters, digits, "-" and "." between them',
    examples: ['lifeboat', 'org.example.lifeboat'],
  },
  (text, reject) => {
    if (/^com\.docker(\.|$)/.test(text)) return reject('com.docker is reserved for Docker');
    return /^[a-z0-9]+([.-][a-z0-9]+)*$/.test(text) ? text : reject();
  },
);

/** The kinds of URL that a store exists for. */
const destinationSchemes = ['file', 's3'] as const;

/** Where backups go. Login data belongs into variables of its own: a URL is printed in many places. */
export const destinationUrl: Grammar<string> = grammar(
  {
    name: 'URL',
    allowed: 'file:///path or s3://bucket/prefix',
    examples: ['file:///backups', 's3://bucket/prefix?region=eu-central-1'],
  },
  (text, reject) => {
    const url = URL.parse(text);
    if (!url)
      return reject(/^\/\//.test(text) || text.startsWith('/') ? `file://${text.replace(/^\/+/, '/')}?` : undefined);
    if (withoutUserinfo(text) !== text) {
      throw new LifeboatError(
        'CONFIG_INVALID',
        'the URL holds login data, which would be printed wherever the URL is; allowed: the login in its own variables, for example _ACCESS_KEY_ID and _SECRET_ACCESS_KEY_FILE',
      );
    }
    const scheme = url.protocol.slice(0, -1);
    if (!destinationSchemes.some((known) => known === scheme))
      return reject(`${scheme} is not supported by this version`);
    if (url.host === '' && scheme !== 'file') return reject('the bucket is missing');
    if (url.host !== '' && scheme === 'file') return reject('a file URL has three slashes');
    if (scheme === 'file' && url.pathname === '/') return reject('the path is missing');
    return text;
  },
);

/** What a channel can hear of. */
export const notifyEvent: Grammar<Occasion> = oneOf(occasions);

/** Rejects a webhook's URL without repeating it: its path is a secret. */
export function checkWebhookUrl(text: string): void {
  const url = URL.parse(text);
  if (url && (url.protocol === 'https:' || url.protocol === 'http:')) return;
  throw new LifeboatError(
    'CONFIG_INVALID',
    'the value (not shown) is not a valid URL; allowed: https:// or http:// URLs; for example https://example.org/hook',
  );
}

/** Whether an engine saves a service: `auto` leaves it to recognition. */
export const engineSwitch: Grammar<'auto' | boolean> = grammar(
  { name: 'switch', allowed: `auto, none, ${bool.allowed}`, examples: ['auto', 'false'] },
  (text, reject) => {
    const word = text.toLowerCase();
    if (word === 'auto') return 'auto';
    if (word === 'none') return false;
    return isBool(text) ? bool.parse(text) : reject();
  },
);

// --- utils ---

function isBool(text: string): boolean {
  return /^(true|false|yes|no|on|off|1|0)$/i.test(text);
}
