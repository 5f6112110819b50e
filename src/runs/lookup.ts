import { asLifeboatError, isLifeboatError, LifeboatError } from '../domain/errors.ts';
import { endOf } from '../domain/local-time.ts';
import type { Manifest } from '../domain/manifest.ts';
import { shortId } from '../domain/naming.ts';
import { nearest } from '../domain/nearest.ts';
import { createNamer, meant } from '../domain/source-names.ts';
import { type SourceAddress, sourceName } from '../domain/types.ts';
import type { RunContext } from './context.ts';
import type { BackupEntry, BackupListing, ListAsk } from './operations.ts';
import type { Source } from './source.ts';

/**
 * All backups in all destinations, newest first; one that lies in several is one entry. A destination that cannot be read
 * is a problem beside the others; rejects when none can, and BACKUP_NOT_FOUND when there are backups but none of the target.
 */
export async function listBackups(
  context: Pick<RunContext, 'destinations'>,
  ask: ListAsk,
  signal: AbortSignal,
): Promise<BackupListing> {
  const views = await Promise.all(
    (await context.destinations()).map(async ({ name, catalog }) => {
      try {
        return { name, view: await catalog.list({}, signal) };
      } catch (thrown) {
        signal.throwIfAborted();
        return { name, error: asLifeboatError(thrown) };
      }
    }),
  );
  const [unread] = views.flatMap(({ error }) => error ?? []);
  if (unread && views.every(({ error }) => error)) throw unread;
  const entries = new Map<string, { manifest: Manifest; destinations: string[] }>();
  for (const { name, view } of views) {
    for (const manifest of view?.manifests ?? []) {
      const entry = entries.get(manifest.id) ?? { manifest, destinations: [] };
      entry.destinations.push(name);
      entries.set(manifest.id, entry);
    }
  }
  const all = [...entries.values()];
  const wanted = ask.target === undefined ? all : [...meant(all, ({ manifest }) => manifest, ask.target)];
  wanted.sort((a, b) => (a.manifest.id < b.manifest.id ? 1 : -1));
  const problems = views.flatMap(({ name, view, error }) => [
    ...(error ? [{ destination: name, key: '', message: error.message }] : []),
    ...(view?.problems ?? []).map((problem) => ({
      destination: name,
      key: problem.key,
      message: problem.error.message,
    })),
  ]);
  // What could not be read may hold some.
  if (ask.target !== undefined && wanted.length === 0 && all.length > 0 && problems.length === 0)
    throw nothingOf(all, ask.target);
  return { backups: wanted, problems };
}

/** That there is no backup of this, and of what there are. */
export function nothingOf(backups: readonly BackupEntry[], given: string | undefined): LifeboatError {
  if (given === undefined || backups.length === 0) {
    return new LifeboatError('BACKUP_NOT_FOUND', 'there are no backups yet', { hint: 'lifeboat backup' });
  }
  const nameOf = createNamer(backups.map(({ manifest }) => manifest.stack));
  const names = backups.map(({ manifest }) => nameOf({ stack: manifest.stack, name: sourceName(manifest) }));
  const sources = [...new Set(names)].sort();
  const services = new Set(backups.map(({ manifest }) => manifest.service));
  const similar = nearest(given, [...services, ...sources]);
  const hint = similar ? `did you mean ${similar}?` : `there are backups of: ${sources.join(', ')}`;
  return new LifeboatError('BACKUP_NOT_FOUND', `there is no backup of ${given}`, { hint });
}

export interface FoundBackup {
  readonly entry: BackupEntry;
  readonly problems: BackupListing['problems'];
}

/** The one that `pick` chooses of all, and what could not be read. */
export async function findBackup(
  context: Pick<RunContext, 'destinations'>,
  pick: (backups: readonly BackupEntry[]) => BackupEntry,
  signal: AbortSignal,
): Promise<FoundBackup> {
  const listing = await listBackups(context, {}, signal);
  return { entry: asFarAsRead(listing, pick), problems: listing.problems };
}

/** What `pick` chooses; that it finds nothing is no news where a destination could not be read, and is told so. */
export function asFarAsRead<T>({ backups, problems }: BackupListing, pick: (backups: readonly BackupEntry[]) => T): T {
  try {
    return pick(backups);
  } catch (error) {
    const [unread] = problems.filter(({ key }) => key === '');
    if (!unread || !isLifeboatError(error, 'BACKUP_NOT_FOUND')) throw error;
    // It may be right there.
    throw new LifeboatError('BACKUP_NOT_FOUND', `${error.message}, as far as could be read`, {
      hint: `destination ${unread.destination} could not be read: ${unread.message}`,
    });
  }
}

/** Whether this may be the id of a backup, whole or short. */
export function isIdLike(text: string): boolean {
  return /^(?:\d{8}-\d{6}-)?[2-9a-hjkmnp-z]{6}$/.test(text);
}

/** By id or its short form. */
export function byId(backups: readonly BackupEntry[], id: string): BackupEntry {
  const found = backups.filter(({ manifest }) => manifest.id === id || shortId(manifest.id) === id);
  const [entry, ...others] = found;
  if (!entry) throw new LifeboatError('BACKUP_NOT_FOUND', `there is no backup ${id}`, { hint: 'lifeboat list' });
  if (others.length > 0) {
    throw new LifeboatError('BACKUP_NOT_FOUND', `${id} means several backups`, {
      hint: `use one of: ${found.map(({ manifest }) => manifest.id).join(', ')}`,
    });
  }
  return entry;
}

/** The newest backup of the source that `at` asks for. */
export function byTime(
  backups: readonly BackupEntry[],
  source: SourceAddress & Pick<Source, 'name'>,
  at: string,
): BackupEntry {
  const alike = backups.filter(
    ({ manifest }) => manifest.service === source.service && manifest.source === source.source,
  );
  const own = alike.filter(({ manifest }) => manifest.stack === source.stack);
  const hint = own.length > 0 ? `the oldest is ${own.at(-1)?.manifest.startedAt}` : withoutBackups(source, alike);
  if (at === 'latest') {
    // A safety backup is what somebody wanted to get away from.
    const [newest] = own.filter(({ manifest }) => manifest.trigger !== 'safety');
    if (newest) return newest;
    throw new LifeboatError('BACKUP_NOT_FOUND', `there is no backup of ${source.name}`, { hint });
  }
  const time = endOf(at);
  if (!time)
    throw new LifeboatError('USAGE', `"${at}" is neither latest, an id, nor a point in time`, {
      hint: 'e.g. --at 2026-11-20, or --at "2026-11-20 03:00"',
    });
  const found = own.find(({ manifest }) => new Date(manifest.startedAt) <= time);
  if (found) return found;
  throw new LifeboatError('BACKUP_NOT_FOUND', `there is no backup of ${source.name} from ${at} or before`, { hint });
}

// --- utils ---

/** What to do when a source has no backups: on a new host, those of its former stack are what is looked for. */
function withoutBackups({ service }: SourceAddress, alike: readonly BackupEntry[]): string {
  const [other] = alike;
  if (!other) return `lifeboat backup ${service}`;
  const { id, stack } = other.manifest;
  return `stack ${stack} has some: name one by its id (${shortId(id)}), or set LIFEBOAT_NAME=${stack} on the sidecar`;
}
