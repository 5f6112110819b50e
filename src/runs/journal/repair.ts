import { asLifeboatError, isLifeboatError } from '../../domain/errors.ts';
import type { ContainerRole, Intent, RestoreIntent } from '../../domain/journal.ts';
import type { Failure } from '../../domain/run-event.ts';
import type { Recovered } from '../../engines/engine.ts';
import { needsRestore } from '../../engines/half-done.ts';
import type { DiskJournal, OpenIntent } from './journal.ts';
import { heldFor, wayOut } from './unfinished.ts';

/** How a container is put back; the docker folder knows how. */
export interface Repairer {
  startAgain(role: ContainerRole): Promise<void>;
  goOn(role: ContainerRole): Promise<void>;
  /** Takes back or completes a restore that was killed. */
  recover(intent: RestoreIntent): Promise<Recovered>;
}

/** What was left over. */
export interface Repaired {
  /** One line each, for the log. */
  readonly done: readonly string[];
  readonly open: readonly Unrepaired[];
}

/** What needs a person. */
export interface Unrepaired {
  readonly intent: Intent;
  readonly at: string;
  readonly failure: Failure;
}

/** The same in one line. */
export function unrepairedText({ failure: { message, hint } }: Unrepaired): string {
  return [message, ...(hint ? [hint] : [])].join('; ');
}

/**
 * Puts back what a killed process left, the last thing first: takes back a restore that was under way, starts what it had
 * stopped, unpauses what it had paused. What cannot be put back now stays in the journal for the next time; and when that
 * is data, so does the stop of everything that would use it. Data that only another restore can put right is left to a
 * person, with what would use it stopped.
 */
export async function repair(journal: Pick<DiskJournal, 'leftOpen'>, repairer: Repairer): Promise<Repaired> {
  const done: string[] = [];
  const open: Unrepaired[] = [];
  const unfinished = new Set<string>();
  const held = new Set<string>();
  const left = inOrder(await journal.leftOpen());
  for (const { intent, at, done: settle } of left) {
    if (intent.kind === 'stop' && held.has(intent.container.name)) continue;
    // What a restore told first says less than what it told last: it must not be cleaned up by that alone.
    if (unfinished.has(restoreOf(intent))) continue;
    try {
      const { line, isDoubtful } = await putBack(intent, at, repairer);
      if (isDoubtful && intent.kind === 'restore') {
        const stopped = heldFor(intent, left);
        for (const { name } of stopped) held.add(name);
        await settleStops(left, stopped);
        open.push({ intent, at, failure: failureOf(line, wayOut(intent, stopped, false)) });
      } else done.push(line);
      await settle();
    } catch (error) {
      const { container, kind } = intent;
      const what = kind === 'restore' ? `${intent.note}, was interrupted` : kind;
      const { message, hint } = asLifeboatError(error);
      const isGone = isLifeboatError(error, 'SOURCE_NOT_FOUND');
      if (isGone) await settle();
      else if (kind === 'restore') unfinished.add(intent.suffix);
      const stays = kind === 'restore' && intent.undo !== undefined && !isGone;
      const stopped = stays ? heldFor(intent, left) : [];
      for (const { name } of stopped) held.add(name);
      const hints = [...(hint ? [hint] : []), ...(stays ? [wayOut(intent, stopped, true)] : [])];
      const line = `${container.service} (${container.name}), ${what} at ${at}: ${message}`;
      open.push({ intent, at, failure: failureOf(line, hints.join('; ') || undefined) });
    }
  }
  return { done, open };
}

// --- utils ---

/** Data is put back before anything is started that reads it. */
function inOrder(left: readonly OpenIntent[]): readonly OpenIntent[] {
  const isRestore = ({ intent }: OpenIntent) => intent.kind === 'restore';
  return [...left.filter(isRestore), ...left.filter((each) => !isRestore(each))];
}

async function putBack(
  intent: Intent,
  at: string,
  repairer: Repairer,
): Promise<{ readonly line: string; readonly isDoubtful?: boolean }> {
  const { service } = intent.container;
  switch (intent.kind) {
    case 'stop':
      await repairer.startAgain(intent.container);
      return { line: `${service}: started again, held since ${at}` };
    case 'pause':
      await repairer.goOn(intent.container);
      return { line: `${service}: unpaused, held since ${at}` };
    case 'restore': {
      const recovered = await repairer.recover(intent);
      const line = `${service}: ${intent.note}, was interrupted at ${at}: ${recovered.found}`;
      return { line, isDoubtful: needsRestore(recovered) };
    }
  }
}

/** Who was told to start them has them from now on. */
async function settleStops(left: readonly OpenIntent[], roles: readonly ContainerRole[]): Promise<void> {
  const names = new Set(roles.map(({ name }) => name));
  for (const { intent, done } of left) if (intent.kind === 'stop' && names.has(intent.container.name)) await done();
}

/** Tells the intents of one restore from all others; nothing for those of another kind. */
function restoreOf(intent: Intent): string {
  return intent.kind === 'restore' ? intent.suffix : '';
}

function failureOf(message: string, hint: string | undefined): Failure {
  return { code: 'RESTORE_FAILED', message, hint };
}
