import { LifeboatError } from '../../domain/errors.ts';
import { localTime, startOf } from '../../domain/local-time.ts';
import { newId, shortId } from '../../domain/naming.ts';
import { nearest } from '../../domain/nearest.ts';
import { duration } from '../../domain/quantity.ts';
import { meant } from '../../domain/source-names.ts';
import { chooseBackups } from '../choice.ts';
import type { Destination } from '../context.ts';
import { nothingOf } from '../lookup.ts';
import type { BackupEntry, BackupListing } from '../operations.ts';

export interface CopyAsk {
  /** An id, `service` or `service/source`: the newest backup of each source that it names. */
  readonly target?: string | undefined;
  /** Not the newest only, but all of them; without a target, of every source. */
  readonly all?: boolean | undefined;
  /** Only those that began since then: how long ago, or a point in time. */
  readonly since?: string | undefined;
  /** The name of a destination. */
  readonly to: string;
  /** The id of the run, for whoever wants to know it beforehand. */
  readonly run?: string | undefined;
}

/** What a copy run is about. */
export interface Chosen {
  /** Oldest first, so that the far end's history grows as ours did. */
  readonly backups: readonly BackupEntry[];
  /** What could not be read although it may hold some that were asked for. */
  readonly problems: BackupListing['problems'];
}

/** Rejects USAGE, with what there is, when none is called so. */
export function chooseFarEnd(destinations: readonly Destination[], name: string): Destination {
  const found = destinations.find((destination) => destination.name === name);
  if (found) return found;
  const names = destinations.map((destination) => destination.name);
  const similar = nearest(name, names);
  const hint = similar ? `did you mean ${similar}?` : `there are: ${names.join(', ')}`;
  throw new LifeboatError('USAGE', `there is no destination ${name}`, { hint });
}

/** The backups that somebody wants elsewhere. Rejects BACKUP_NOT_FOUND with what there is. */
export function chooseToCopy({ backups, problems }: BackupListing, ask: CopyAsk, now: Date): Chosen {
  const { target, all = false } = ask;
  const since = ask.since === undefined ? undefined : timeOf(ask.since, now);
  if (!all) {
    if (since !== undefined) throw tooFew('--since chooses among all backups', 'add --all');
    if (target === undefined) throw tooFew('copy needs the id of a backup, a target, or --all', 'lifeboat list');
    const chosen = chooseBackups(backups, target, undefined);
    // A newer one may lie where nobody could look; whoever named an id wants no other.
    const isNamed = chosen.some(({ manifest: { id } }) => id === target || shortId(id) === target);
    return { backups: chosen.toSorted(byAge), problems: isNamed ? [] : problems.filter(({ key }) => key === '') };
  }
  const own = target === undefined ? backups : meant(backups, ({ manifest }) => manifest, target);
  if (own.length === 0) throw nothingOf(backups, target);
  const chosen = own.filter(({ manifest }) => since === undefined || new Date(manifest.startedAt) >= since);
  if (chosen.length > 0) return { backups: chosen.toSorted(byAge), problems: problems.filter(isSince(since)) };
  const time = localTime((since ?? now).toISOString());
  throw new LifeboatError('BACKUP_NOT_FOUND', `there is no backup ${target ? `of ${target} ` : ''}since ${time}`, {
    hint: 'lifeboat list shows what there is, lifeboat status how the last runs went',
  });
}

// --- utils ---

function timeOf(text: string, now: Date): Date {
  const written = startOf(text);
  if (written) return written;
  try {
    return new Date(now.getTime() - duration.parse(text));
  } catch (cause) {
    throw new LifeboatError('USAGE', `"${text}" is neither a duration nor a point in time`, {
      hint: 'e.g. --since 7d, or --since 2026-11-14',
      cause,
    });
  }
}

/** Whole destinations hold anything; the folder of a damaged manifest tells its time. */
function isSince(since: Date | undefined): (problem: BackupListing['problems'][number]) => boolean {
  const oldest = since === undefined ? '' : newId(since).slice(0, '20261121-074109'.length);
  return ({ key }) => key === '' || (key.split('/').at(-2) ?? '') >= oldest;
}

function byAge(a: BackupEntry, b: BackupEntry): number {
  return a.manifest.id < b.manifest.id ? -1 : 1;
}

function tooFew(message: string, hint: string): LifeboatError {
  return new LifeboatError('USAGE', message, { hint });
}
