import { createHash } from 'node:crypto';
import { text } from 'node:stream/consumers';
import { untouchedHint } from '../../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Unpacked } from '../../domain/tree-report.ts';
import type { Neighbour, Restored, RestoreSource, RestoreSteps, RestoreTarget } from '../engine.ts';
import { halfDone, isHalfDone } from '../half-done.ts';
import { archivesOf, type FolderFacts, factsOf, listKind, listName } from './facts.ts';
import { savedBeside } from './neighbours.ts';
import { type Place, placeOf } from './place.ts';
import { savedIn } from './selection.ts';

/** What the journal keeps of a switch. */
export interface SwitchUndo {
  readonly folders: readonly FolderFacts[];
}

interface Entry {
  readonly artifact: Artifact;
  readonly facts: FolderFacts;
  readonly place: Place;
}

/**
 * Every folder is unpacked beside the live one and compared while the app runs. Then the app is stopped and all names are
 * switched; it starts with all of the new trees or with none. What was there before is removed at the end.
 */
export async function restore(
  shell: Shell,
  from: RestoreSource,
  { suffix }: RestoreTarget,
  others: readonly Neighbour[],
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<Restored> {
  const entries = archivesOf(from.manifest).map((artifact): Entry => {
    const facts = factsOf(artifact);
    return { artifact, facts, place: placeOf(shell, facts, suffix) };
  });
  const { saved, warnings } = await savedBeside(shell, others, signal);
  const discard = async () => {
    for (const { place } of entries) await place.discard();
  };
  try {
    const checks = await stageAll(entries, from, steps, signal);
    const folders = entries.map(({ facts: { path, rules } }) => {
      const leave = [...new Set([...rules.leave, ...savedIn(path, saved)])];
      return { path, rules: { ...rules, leave } };
    });
    const undo: SwitchUndo = { folders };
    await steps.switching(folders.map(({ path }) => path).join(', '), undo);
    await switchAll(shell, entries, folders, signal);
    for (const { place } of entries) await place.discardAll();
    return { checks, warnings, kept: [] };
  } catch (error) {
    if (!isHalfDone(error)) await discard();
    throw error;
  }
}

// --- utils ---

async function stageAll(
  entries: readonly Entry[],
  from: RestoreSource,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const checks: string[] = [];
  for (const { artifact, place } of entries) {
    steps.staging(place.path);
    const { devices = 0 } = artifact.counts[0]?.objects ?? {};
    const archive = await from.open(artifact, signal);
    const unpacked = await place.stage(archive, artifact.plainBytes, devices > 0, signal);
    steps.checking(place.path);
    await compareWithList(artifact, unpacked, from, signal);
    const { files, folders } = unpacked.totals;
    checks.push(
      `${place.path}: ${many(files, 'file')} in ${many(folders, 'folder')} as in the backup: content, owners, modes, times, attributes and links`,
    );
  }
  return checks;
}

/** What was unpacked is what the archive holds; this is whether the archive holds what was listed when it was made. */
async function compareWithList(
  { name }: Artifact,
  { listSha256 }: Unpacked,
  { manifest, open }: RestoreSource,
  signal: AbortSignal,
): Promise<void> {
  const artifact = manifest.artifacts.find((each) => each.kind === listKind && each.name === listName(name));
  if (!artifact) return;
  const lines = (await text(await open(artifact, signal))).split('\n').slice(0, -2);
  const listed = createHash('sha256')
    .update(lines.map((line) => `${line}\n`).join(''))
    .digest('hex');
  if (listed === listSha256) return;
  throw new LifeboatError('RESTORE_FAILED', `what is in the archive of ${name} is not what the list beside it says`, {
    hint: untouchedHint,
  });
}

async function switchAll(
  shell: Shell,
  entries: readonly Entry[],
  folders: readonly FolderFacts[],
  signal: AbortSignal,
): Promise<void> {
  await using _stopped = await shell.stopped(signal);
  try {
    for (const [i, { place, facts }] of entries.entries())
      await place.switchOver(folders[i]?.rules ?? facts.rules, signal);
  } catch (thrown) {
    const failures: unknown[] = [thrown];
    for (const { place } of entries.toReversed()) await place.putBack().catch((error: unknown) => failures.push(error));
    if (failures.length === 1) throw thrown;
    throw halfDone('the restore failed, and the former files could not all be put back', {
      hint: failures.map((failure) => asLifeboatError(failure).message).join('; '),
      cause: new AggregateError(failures),
    });
  }
}
