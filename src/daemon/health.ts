import type { Failure } from '../domain/run-event.ts';

/** Something that must work for backups to be possible at all. A failed backup is not part of it. */
export interface Organ {
  /** What keeps it from working now; undefined when nothing does, or when nobody has looked yet. */
  ailment(): Failure | undefined;
}

export interface Health {
  readonly isHealthy: boolean;
  readonly problems: readonly Failure[];
}

/** Unhealthy when any organ ails. */
export function readHealth(organs: readonly Organ[]): Health {
  const problems = organs.flatMap((organ) => organ.ailment() ?? []);
  return { isHealthy: problems.length === 0, problems };
}
