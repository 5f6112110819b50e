import type { RunEvent } from './run-event.ts';
import { type SourceAddress, type SourceName, sourceName } from './types.ts';

interface Named {
  readonly stack: string;
  readonly name: SourceName;
}

/** How sources are written side by side: `service/source`, with the stack before it where there are several stacks. */
export function createNamer(stacks: Iterable<string>): (source: Named) => string {
  const isOne = new Set(stacks).size < 2;
  return ({ stack, name }) => (isOne ? name : `${stack}/${name}`);
}

/** The same for a stream of events: names the source of each, as long as all are of one stack without it. */
export function createEventNamer(): (event: RunEvent) => string | undefined {
  const stacks = new Set<string>();
  return (event) => {
    for (const stack of event.type === 'run.started' ? event.stacks : [event.stack])
      if (stack !== undefined) stacks.add(stack);
    if (!('source' in event) || event.source === undefined) return undefined;
    return createNamer(stacks)({ stack: event.stack ?? '', name: event.source });
  };
}

/**
 * What a person means by a target: `service` or `service/source`; where nothing is called so, `stack/service` or
 * `stack/service/source`.
 */
export function meant<T>(all: readonly T[], addressOf: (each: T) => SourceAddress, target: string): readonly T[] {
  const named = (names: (address: SourceAddress) => readonly string[]) =>
    all.filter((each) => names(addressOf(each)).includes(target));
  const found = named((address) => [address.service, sourceName(address)]);
  if (found.length > 0) return found;
  return named((address) => [`${address.stack}/${address.service}`, `${address.stack}/${sourceName(address)}`]);
}
