import { createGate, type Gate } from './gate.ts';
import { createRunningRuns, type RunningRuns } from './running.ts';

/** What all runs of one process share. */
export interface RunControl {
  readonly gate: Gate;
  readonly running: RunningRuns;
}

export function createRunControl(concurrency: number): RunControl {
  return { gate: createGate(concurrency), running: createRunningRuns() };
}
