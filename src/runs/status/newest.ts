import type { Manifest } from '../../domain/manifest.ts';
import type { Failure } from '../../domain/run-event.ts';
import { type SourceName, sourceName } from '../../domain/types.ts';
import type { CopyVerification, Verification } from '../../domain/verification.ts';
import type { Destination, RunContext } from '../context.ts';
import type { SourcePast } from '../history/history-view.ts';
import { settled } from './settled.ts';

export interface LastBackup {
  readonly id: string;
  readonly startedAt: string;
  readonly plainBytes: number;
  readonly storedBytes: number;
  readonly destinations: readonly string[];
  /** The last verification of each copy that had one. */
  readonly verified: readonly CopyVerification[];
}

/** The newest backup of a source, wherever it lies. */
export interface Newest extends LastBackup {
  readonly stack: string;
  readonly source: SourceName;
  readonly destinations: string[];
  readonly verified: CopyVerification[];
}

/** What one destination holds. */
interface View {
  readonly destination: Destination;
  readonly backups: readonly Newest[];
  readonly error?: Failure;
}

/** The newest backup of each source, per destination. */
export async function readDestinations(context: RunContext, signal: AbortSignal): Promise<readonly View[]> {
  return Promise.all(
    (await context.destinations()).map(async (destination) => {
      const { value, error } = await settled(newestWithNotes(destination, signal));
      return { destination, backups: value ?? [], ...(error ? { error } : {}) };
    }),
  );
}

/** Of each source, by its key. */
export function newestOf(views: readonly View[]): ReadonlyMap<string, Newest> {
  const newest = new Map<string, Newest>();
  for (const { backups } of views) {
    for (const backup of backups) {
      const known = newest.get(keyOf(backup));
      if (known?.id === backup.id) {
        known.destinations.push(...backup.destinations);
        known.verified.push(...backup.verified);
      } else if (!known || known.id < backup.id) newest.set(keyOf(backup), backup);
    }
  }
  return newest;
}

/** The same out of the history, for where nobody can look. */
export function remembered(past: SourcePast | undefined): Newest | undefined {
  const outcome = past?.good?.outcome;
  if (!past?.good || !outcome?.backup) return undefined;
  const { stack, source, good } = past;
  const destinations = (outcome.destinations ?? []).filter(({ result }) => result === 'ok').map(({ name }) => name);
  const sizes = { plainBytes: outcome.plainBytes ?? 0, storedBytes: outcome.storedBytes ?? 0 };
  return { stack, source, id: outcome.backup, startedAt: good.startedAt, ...sizes, destinations, verified: [] };
}

/** What tells a source from every other. */
export function keyOf({ stack, source }: { readonly stack: string; readonly source: SourceName }): string {
  return JSON.stringify([stack, source]);
}

// --- utils ---

async function newestWithNotes({ name, catalog }: Destination, signal: AbortSignal): Promise<Newest[]> {
  const manifests = await catalog.newest({}, signal);
  return Promise.all(
    manifests.map(async (manifest) => toNewest(manifest, name, await catalog.verification(manifest, signal))),
  );
}

function toNewest(manifest: Manifest, destination: string, found: Verification | undefined): Newest {
  const sum = (key: 'plainBytes' | 'storedBytes') => manifest.artifacts.reduce((total, each) => total + each[key], 0);
  const { id, stack, startedAt } = manifest;
  const sizes = { plainBytes: sum('plainBytes'), storedBytes: sum('storedBytes') };
  const verified = found
    ? [{ destination, at: found.at, level: found.level, result: found.result, findings: found.findings }]
    : [];
  return { stack, source: sourceName(manifest), id, startedAt, ...sizes, destinations: [destination], verified };
}
