import { posix } from 'node:path';
import { untouchedHint } from '../../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import { shellQuote } from '../../domain/naming.ts';
import type { Shell } from '../../domain/shell.ts';
import { chosenDatabases } from '../chosen.ts';
import { noLongerNeeded, type Restored, type RestoreSource, type RestoreSteps, type RestoreTarget } from '../engine.ts';
import { halfDone, isHalfDone } from '../half-done.ts';
import { locate } from '../location.ts';
import { archivePlace } from './archive-place.ts';
import { mayMakeHelpers } from './bench.ts';
import { countsOfProof, differences, foreignKeyCount, merged, type Told } from './counting.ts';
import { factsOf } from './facts.ts';
import { mountPlace } from './mount-place.ts';
import type { Place } from './place.ts';
import { rowsOf } from './proof.ts';

/** A database as the manifest tells of it. */
type Recorded = Pick<Artifact, 'name' | 'facts'>;

/** What the journal keeps of a switch. */
export interface SwitchUndo {
  readonly databases: readonly Recorded[];
}

interface Entry {
  readonly artifact: Artifact;
  readonly place: Place;
}

/**
 * Every database is staged and checked while the app runs. Then the app is stopped, each present set is moved aside and
 * the new file takes its place; the app starts with all of them or with none.
 */
export async function restore(
  shell: Shell,
  from: RestoreSource,
  target: RestoreTarget,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<Restored> {
  const chosen = chosenDatabases(from.manifest, target);
  const hasHelper = await mayMakeHelpers(shell, signal);
  const entries = chosen.map((artifact) => ({ artifact, place: placeFor(shell, artifact, target, hasHelper) }));
  const discard = async () => {
    for (const { place } of entries) await place.discard();
  };
  try {
    const checks = await stageAll(entries, from, steps, signal);
    if (target.as !== undefined) {
      for (const { place } of entries) await place.putBeside(signal);
      await discard();
      return { checks, warnings: [], kept: [] };
    }
    const undo: SwitchUndo = { databases: chosen.map(({ name, facts }) => ({ name, facts })) };
    await steps.switching(entries.map(({ place }) => place.path).join(', '), undo);
    const found = await switchAll(shell, entries, signal);
    const kept = entries.flatMap(({ place }) => keptLines(shell.container.name, place));
    await discard();
    return { checks: [...checks, ...found], warnings: [], kept };
  } catch (error) {
    if (!isHalfDone(error)) await discard();
    throw error;
  }
}

/** The folder is searched for what begins with the name: a log may have been kept with the database. */
function keptLines(container: string, place: Place): string[] {
  const kept = place.kept();
  if (kept === undefined) return [];
  const remove = `docker exec -u 0 ${shellQuote(container)} sh -c ${shellQuote(`rm ${shellQuote(kept)}*`)}`;
  return [`the previous ${place.path} is kept as ${kept}; ${noLongerNeeded(remove)}`];
}

/** Where a database goes: to its own path, or under another name beside it. */
export function destinationOf(artifact: Recorded, target: RestoreTarget): string {
  const { path } = factsOf(artifact);
  return target.as === undefined ? path : posix.resolve(posix.dirname(path), target.as);
}

async function stageAll(
  entries: readonly Entry[],
  from: RestoreSource,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const checks: string[] = [];
  for (const { artifact, place } of entries) {
    steps.staging(place.path);
    const told = await place.stage(() => from.open(artifact, signal), artifact.plainBytes, signal);
    steps.checking(place.path);
    checks.push(compare(artifact, told));
  }
  return checks;
}

async function switchAll(shell: Shell, entries: readonly Entry[], signal: AbortSignal): Promise<readonly string[]> {
  await using _stopped = await shell.stopped(signal);
  const begun: Place[] = [];
  const found: string[] = [];
  try {
    for (const { place } of entries) {
      begun.push(place);
      await place.switchOver(signal);
      found.push(`${place.path}: ${await place.verify(signal)}`);
    }
    return found;
  } catch (thrown) {
    const failures: unknown[] = [asLifeboatError(thrown)];
    for (const place of begun.reverse()) await place.putBack().catch((error: unknown) => failures.push(error));
    if (failures.length === 1) throw failures[0];
    throw halfDone('the restore failed, and the previous databases could not all be put back', {
      hint: failures.map((failure) => asLifeboatError(failure).message).join('; '),
      cause: new AggregateError(failures),
    });
  }
}

/** The staged copy must hold what was counted when it was dumped. */
function compare(artifact: Artifact, told: Told): string {
  const { [foreignKeyCount]: _, ...expected } = merged(artifact.counts, 'dump');
  const found = merged(countsOfProof(told), 'dump');
  const differing = differences(expected, found);
  if (differing.length > 0) {
    throw new LifeboatError(
      'RESTORE_FAILED',
      `the copy of ${artifact.name} differs from the backup: ${differing.slice(0, 5).join(', ')}`,
      { hint: untouchedHint },
    );
  }
  return `${artifact.name}: ${many(found.tables ?? 0, 'table')}, ${many(rowsOf(found), 'row')} as in the backup; ${told.checked ?? 'not checked'}`;
}

export function placeFor(shell: Shell, artifact: Recorded, target: RestoreTarget, hasHelper: boolean): Place {
  const facts = factsOf(artifact);
  const path = destinationOf(artifact, target);
  const location = locate(shell.container, path);
  if (location.kind === 'mount' && hasHelper) return mountPlace(shell, location, path, facts, target.suffix);
  return archivePlace(shell, path, facts, target.suffix);
}
