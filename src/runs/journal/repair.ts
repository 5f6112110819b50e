import { asLifeboatError, isLifeboatError } from '../../domain/errors.ts';
import type { ContainerRole, Intent, RestoreIntent } from '../../domain/journal.ts';
import type { DiskJournal, OpenIntent } from './journal.ts';

/** How a container is put back; the docker folder knows how. */
export interface Repairer {
  startAgain(role: ContainerRole): Promise<void>;
  goOn(role: ContainerRole): Promise<void>;
  /** Takes back or completes a restore that was killed; resolves with what was found. */
  recover(intent: RestoreIntent): Promise<string>;
}

/** What a start found left over, one line each, for the log. */
export interface Repaired {
  readonly done: readonly string[];
  /** What needs a person. */
  readonly open: readonly string[];
}

/**
 * Puts back what a killed process left, the last thing first: takes back a restore that was under way, starts what it had
 * stopped, unpauses what it had paused. What cannot be put back now stays in the journal for the next time; and when that
 * is data, so does the stop of everything that would use it.
 */
export async function repair(journal: DiskJournal, repairer: Repairer): Promise<Repaired> {
  const done: string[] = [];
  const open: string[] = [];
  const unfinished = new Set<string>();
  const held = new Set<string>();
  const left = inOrder(await journal.leftOpen());
  for (const { intent, at, done: settle } of left) {
    if (intent.kind === 'stop' && held.has(intent.container.name)) continue;
    // What a restore told first says less than what it told last: it must not be cleaned up by that alone.
    if (unfinished.has(restoreOf(intent))) continue;
    try {
      done.push(await putBack(intent, at, repairer));
      await settle();
    } catch (error) {
      const { container, kind } = intent;
      const what = kind === 'restore' ? `${intent.note}, was interrupted` : kind;
      const { message, hint } = asLifeboatError(error);
      const line = `${container.service} (${container.name}), ${what} at ${at}: ${message}${hint ? `; ${hint}` : ''}`;
      if (isGone(error)) await settle();
      else if (kind === 'restore') unfinished.add(restoreOf(intent));
      const stopped = isGone(error) ? [] : stoppedFor(intent, left);
      for (const { name } of stopped) held.add(name);
      open.push(stopped.length === 0 ? line : `${line}; ${nextStep(intent, stopped)}`);
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

async function putBack(intent: Intent, at: string, repairer: Repairer): Promise<string> {
  const { service } = intent.container;
  switch (intent.kind) {
    case 'stop':
      await repairer.startAgain(intent.container);
      return `${service}: started again, held since ${at}`;
    case 'pause':
      await repairer.goOn(intent.container);
      return `${service}: unpaused, held since ${at}`;
    case 'restore':
      return `${service}: ${intent.note}, was interrupted at ${at}: ${await repairer.recover(intent)}`;
  }
}

/** What must not run before its data is whole: as long as that is untouched, everything may. */
function stoppedFor(restore: Intent, left: readonly OpenIntent[]): readonly ContainerRole[] {
  if (restore.kind !== 'restore' || restore.undo === undefined) return [];
  const names = new Set([restore.container.name, ...(restore.stops ?? [])]);
  return left.flatMap(({ intent }) =>
    intent.kind === 'stop' && names.has(intent.container.name) ? [intent.container] : [],
  );
}

function nextStep({ container }: Intent, stopped: readonly ContainerRole[]): string {
  const services = [...new Set(stopped.map(({ service }) => service))];
  const [verb, them] = services.length === 1 ? ['stays', 'it'] : ['stay', 'them'];
  const again = `docker exec sidecar restore ${container.service}`;
  return `${services.join(', ')} ${verb} stopped until the data is put right, which is tried again; or restore yourself (${again}) and start ${them}: docker compose start ${services.join(' ')}`;
}

/** Tells the intents of one restore from all others; nothing for those of another kind. */
function restoreOf(intent: Intent): string {
  return intent.kind === 'restore' ? intent.suffix : '';
}

/** Whoever removed the service for good has nothing to be put back. */
function isGone(error: unknown): boolean {
  return isLifeboatError(error, 'SOURCE_NOT_FOUND');
}
