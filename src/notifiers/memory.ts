import type { PolicyState } from './open-problems.ts';

/** What was told before, from one outcome to the next, and from one process to the next where it is stored. */
export interface Memory {
  load(): PolicyState;
  save(state: PolicyState): void;
}

/** Forgets when the process ends. */
export function createMemory(): Memory {
  let state: PolicyState = {};
  return {
    load: () => state,
    save: (next) => {
      state = next;
    },
  };
}

/** The same memory; while it fails, what this process knows by itself stands in for it. Warns once. */
export function reliable(memory: Memory, warn: (message: string) => void): Memory {
  let known: PolicyState = {};
  const failing = new Set<string>();
  const guarded = (what: string, act: () => void) => {
    try {
      act();
      failing.delete(what);
    } catch (error) {
      if (failing.has(what)) return;
      failing.add(what);
      warn(`${what}: ${error instanceof Error ? error.message : 'unknown reason'}`);
    }
  };
  return {
    load: () => {
      guarded('what was told before is not known', () => {
        known = memory.load();
      });
      return known;
    },
    save: (state) => {
      known = state;
      guarded('what was told is not kept', () => memory.save(state));
    },
  };
}
