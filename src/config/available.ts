/** The issues in the order they bring features; `later` has no issue yet. */
export type Milestone = 'Files' | 'Trust' | 'Operate' | 'later';

/**
 * Keys (each with all keys below it) that are promised and that this version does not know, and the issue that brings
 * them. They are deliberately not in the schema: a key whose feature does not exist must not be accepted in silence.
 */
export const planned: ReadonlyMap<string, Milestone> = new Map<string, Milestone>([
  ['files', 'Files'],
  ['exclude', 'Files'],
  ['include', 'Files'],
  ['method', 'Files'],
  ['quiesce', 'Files'],
  ['group', 'Files'],
  ['hook', 'Files'],
  ['keep', 'Trust'],
  ['verify', 'Trust'],
  ['min-size', 'Trust'],
  ['shrink-alert', 'Trust'],
  ['passphrase', 'Trust'],
  ['age', 'Trust'],
  ['max-age', 'Operate'],
  ['ping', 'Operate'],
  ['digest', 'Operate'],
  ['ui', 'Operate'],
  ['metrics', 'Operate'],
  ['api', 'Operate'],
  ['notify.email', 'Operate'],
  ['notify.discord', 'Operate'],
  ['notify.teams', 'Operate'],
  ['notify.ntfy', 'Operate'],
  ['notify.gotify', 'Operate'],
  ['notify.telegram', 'Operate'],
  ['notify.apprise', 'Operate'],
  ['mongodb', 'later'],
]);

/** Planned keys without which backups would be stored unprotected although somebody asked for protection. */
const protections = ['passphrase', 'age'];

/** A key of a later version. */
export interface Planned {
  readonly key: string;
  readonly milestone: Milestone;
  /** True when to go on without it would break a promise of secrecy: then Lifeboat does not start. */
  readonly isProtection: boolean;
}

/** The planned key that this key is or lies below; undefined when the key is not planned either. */
export function plannedFor(key: string): Planned | undefined {
  // A variable cannot tell `min-size` from `min.size`, so both sides are compared in its alphabet.
  const form = (text: string) => text.toLowerCase().replace(/[._-]/g, '_');
  for (const [name, milestone] of planned) {
    if (form(key) === form(name) || form(key).startsWith(`${form(name)}_`)) {
      return { key: name, milestone, isProtection: protections.includes(name) };
    }
  }
  return undefined;
}
