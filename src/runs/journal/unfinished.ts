import type { ContainerRole, Intent, RestoreIntent } from '../../domain/journal.ts';
import { localTime } from '../../domain/local-time.ts';
import type { Failure } from '../../domain/run-event.ts';
import type { Source } from '../source.ts';
import type { OpenIntent } from './journal.ts';

/** A restore that touched live data, and of which nobody knows yet whether that is the old or the new. */
export interface UnfinishedRestore {
  readonly restore: RestoreIntent;
  readonly at: string;
  /** What is kept stopped until it is known. */
  readonly held: readonly ContainerRole[];
}

/** The restores among what is left open; as long as live data is untouched, they are none of these. */
export function unfinishedRestores(left: readonly OpenIntent[]): readonly UnfinishedRestore[] {
  return left.flatMap(({ intent, at }) =>
    intent.kind === 'restore' && intent.undo !== undefined
      ? [{ restore: intent, at, held: heldFor(intent, left) }]
      : [],
  );
}

/** What restores into this source left open, and the stops for them. */
export function leftOf(
  left: readonly OpenIntent[],
  { name, container }: Pick<Source, 'name' | 'container'>,
): readonly OpenIntent[] {
  const restores = left.flatMap(({ intent }) => {
    const { stack, number } = intent.container;
    const isMine = intent.kind === 'restore' && intent.source === name;
    return isMine && stack === container.stack && number === container.number ? [intent] : [];
  });
  const held = new Set<Intent['container']>(restores.flatMap((restore) => heldFor(restore, left)));
  return left.filter(({ intent }) => held.has(intent.container) || restores.some((restore) => restore === intent));
}

/** The containers that must not run before the data of this restore is whole. */
export function heldFor(
  { container, stops = [] }: RestoreIntent,
  left: readonly OpenIntent[],
): readonly ContainerRole[] {
  const names = new Set([container.name, ...stops]);
  return left.flatMap(({ intent }) =>
    intent.kind === 'stop' && names.has(intent.container.name) ? [intent.container] : [],
  );
}

/**
 * What goes on, and what a person can do: `isTriedAgain` is false where nothing but another restore helps. The source is
 * named in full: its service may have others, and so may another stack.
 */
export function wayOut(
  { source, container: { stack } }: Pick<RestoreIntent, 'source' | 'container'>,
  held: readonly { readonly service: string }[],
  isTriedAgain: boolean,
): string {
  const again = `docker exec sidecar restore ${stack ? `${stack}/` : ''}${source}`;
  const services = [...new Set(held.map((each) => each.service))];
  if (services.length === 0)
    return isTriedAgain
      ? `putting the data right is tried again; or restore yourself: ${again}`
      : `restore again: ${again}`;
  const names = services.join(', ');
  const stays = `${names} ${services.length === 1 ? 'stays' : 'stay'} stopped until the data is put right`;
  const start = `start ${services.length === 1 ? 'it' : 'them'}: docker compose start ${services.join(' ')}`;
  return isTriedAgain
    ? `${stays}, which is tried again; or restore yourself (${again}) and ${start}`
    : `${stays}: restore again (${again}) and ${start}`;
}

/** The same for the status, which tells it as long as it is so. */
export function failureOfUnfinished({ restore, at, held }: UnfinishedRestore): Failure {
  const { source, note } = restore;
  return {
    code: 'RESTORE_FAILED',
    message: `${source}: ${note}, was begun at ${localTime(at)} and neither completed nor taken back`,
    hint: wayOut(restore, held, true),
  };
}
