import type { Facts } from './outcome.ts';

/** The same facts, where a lookup that fails is an answer that is missing: better a message with a gap than none. Warns once. */
export function careful(facts: Facts, warn: (message: string) => void): Facts {
  const missing = new Set<string>();
  const ask = <T>(what: string, look: () => T): T | undefined => {
    try {
      const answer = look();
      missing.delete(what);
      return answer;
    } catch (error) {
      if (missing.has(what)) return undefined;
      missing.add(what);
      warn(`${what} is not known: ${error instanceof Error ? error.message : 'unknown reason'}`);
      return undefined;
    }
  };
  return {
    lifeboat: facts.lifeboat,
    stack: () => ask('the name of the stack', () => facts.stack()) ?? '',
    host: () => ask('the name of the host', () => facts.host()) ?? '',
    lastGood: (source) => ask('the last good backup', () => facts.lastGood?.(source)),
    nextRunAt: (source) => ask('the next run', () => facts.nextRunAt?.(source)),
    channelsOf: (source) => ask('who hears of a source', () => facts.channelsOf?.(source)),
  };
}
