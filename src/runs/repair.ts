import { isLifeboatError } from '../domain/errors.ts';
import type { ContainerRole } from '../domain/journal.ts';
import type { DiskJournal } from './journal.ts';

/** How a container is put back; the docker folder knows how. */
export interface Repairer {
  startAgain(role: ContainerRole): Promise<void>;
  goOn(role: ContainerRole): Promise<void>;
}

/** What a start found left over, one line each, for the log. */
export interface Repaired {
  readonly done: readonly string[];
  /** What needs a person. */
  readonly open: readonly string[];
}

/**
 * Puts back what a killed process left: starts what it had stopped, unpauses what it had paused. An interrupted restore
 * is told of; its engine works beside the live data and switches in one step, so there is nothing half-done to undo.
 */
export async function repair(journal: DiskJournal, repairer: Repairer): Promise<Repaired> {
  const done: string[] = [];
  const open: string[] = [];
  for (const { intent, at, done: settle } of await journal.leftOpen()) {
    const { container } = intent;
    try {
      if (intent.kind === 'stop') await repairer.startAgain(container);
      if (intent.kind === 'pause') await repairer.goOn(container);
    } catch (error) {
      if (!isLifeboatError(error, 'SOURCE_NOT_FOUND')) {
        open.push(`${container.service} (${container.name}), ${intent.kind} since ${at}: ${String(error)}`);
        continue;
      }
    }
    if (intent.kind === 'restore')
      open.push(
        `${container.service}: ${intent.note} was interrupted at ${at}; check the data, restore again if needed`,
      );
    else done.push(`${container.service}: ${intent.kind === 'stop' ? 'started again' : 'unpaused'}, held since ${at}`);
    await settle();
  }
  return { done, open };
}
