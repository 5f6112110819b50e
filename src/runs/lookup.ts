import { LifeboatError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';
import { shortId } from '../domain/naming.ts';
import type { RunContext } from './context.ts';
import type { BackupEntry, BackupListing, ListAsk } from './operations.ts';
import type { Source } from './source.ts';

/** All backups in all destinations, newest first; one that lies in several is one entry. */
export async function listBackups(context: RunContext, ask: ListAsk, signal: AbortSignal): Promise<BackupListing> {
  const views = await Promise.all(
    (await context.destinations()).map(async ({ name, catalog }) => ({ name, view: await catalog.list({}, signal) })),
  );
  const entries = new Map<string, { manifest: Manifest; destinations: string[] }>();
  for (const { name, view } of views) {
    for (const manifest of view.manifests) {
      const entry = entries.get(manifest.id) ?? { manifest, destinations: [] };
      entry.destinations.push(name);
      entries.set(manifest.id, entry);
    }
  }
  const wanted = [...entries.values()].filter(({ manifest }) => !ask.target || isTarget(manifest, ask.target));
  wanted.sort((a, b) => (a.manifest.id < b.manifest.id ? 1 : -1));
  const problems = views.flatMap(({ name, view }) =>
    view.problems.map(({ key, error }) => ({ destination: name, key, message: error.message })),
  );
  return { backups: wanted, problems };
}

function isTarget(manifest: Manifest, target: string): boolean {
  return target === manifest.service || target === `${manifest.service}/${manifest.source}`;
}

/** The one that `pick` chooses of all. */
export async function findBackup(
  context: RunContext,
  pick: (backups: readonly BackupEntry[]) => BackupEntry,
  signal: AbortSignal,
): Promise<BackupEntry> {
  return pick((await listBackups(context, {}, signal)).backups);
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
export function byTime(backups: readonly BackupEntry[], source: Source, at: string): BackupEntry {
  const own = backups.filter(
    ({ manifest }) =>
      manifest.stack === source.stack && manifest.service === source.service && manifest.source === source.source,
  );
  const hint = own.length > 0 ? `the oldest is ${own.at(-1)?.manifest.startedAt}` : `lifeboat backup ${source.service}`;
  if (at === 'latest') {
    // A safety backup is what somebody wanted to get away from.
    const [newest] = own.filter(({ manifest }) => manifest.trigger !== 'safety');
    if (newest) return newest;
    throw new LifeboatError('BACKUP_NOT_FOUND', `there is no backup of ${source.name}`, { hint });
  }
  const time = new Date(at).getTime();
  if (Number.isNaN(time))
    throw new LifeboatError('USAGE', `"${at}" is neither latest, an id, nor a point in time`, {
      hint: 'e.g. --at "2026-11-20 03:00"',
    });
  const found = own.find(({ manifest }) => new Date(manifest.startedAt).getTime() <= time);
  if (found) return found;
  throw new LifeboatError('BACKUP_NOT_FOUND', `there is no backup of ${source.name} from before ${at}`, { hint });
}
