/**
 * Keys (each with all keys below it) that are planned and that this version does not know. They are deliberately not in
 * the schema: a key whose feature does not exist must not be accepted in silence.
 */
export const planned: ReadonlySet<string> = new Set([
  ...['exclude', 'include', 'method', 'quiesce', 'group', 'hook', 'tags'],
  ...['keep', 'verify', 'min-size', 'shrink-alert', 'passphrase', 'age'],
  ...[
    'max-age',
    'ping',
    'digest',
    'ui',
    'metrics',
    'api',
    'notify.email',
    'notify.discord',
    'notify.teams',
    'notify.ntfy',
    'notify.gotify',
    'notify.telegram',
    'notify.apprise',
  ],
  ...['mongodb'],
]);

/** Planned keys without which backups would be stored unprotected although somebody asked for protection. */
const protections = ['passphrase', 'age'];

/** A key of a later version. */
export interface Planned {
  readonly key: string;
  /** True when to go on without it would break a promise of secrecy: then Lifeboat does not start. */
  readonly isProtection: boolean;
}

/** The planned key that this key is or lies below; undefined when the key is not planned either. */
export function plannedFor(key: string): Planned | undefined {
  // A variable cannot tell `min-size` from `min.size`, so both sides are compared in its alphabet.
  const form = (text: string) => text.toLowerCase().replace(/[._-]/g, '_');
  for (const name of planned) {
    if (form(key) === form(name) || form(key).startsWith(`${form(name)}_`)) {
      return { key: name, isProtection: protections.includes(name) };
    }
  }
  return undefined;
}
