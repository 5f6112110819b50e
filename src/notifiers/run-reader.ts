import type { RunEvent, Step } from '../domain/run-event.ts';
import { type EndedSource, type Outcome, sourceKey } from './outcome.ts';

type Started = Extract<RunEvent, { type: 'run.started' }>;
type Finished = Extract<RunEvent, { type: 'run.finished' }>;

interface RunSoFar {
  readonly started: Started;
  readonly sources: EndedSource[];
  /** The last step each source came to. */
  readonly steps: Map<string, Step>;
  stack: string;
}

/**
 * Reads the stream of run events and calls back once for each backup and each restore that is over. `ownStack` is where
 * sources belong whose events name no stack.
 */
export function createRunReader(tell: (outcome: Outcome) => void, ownStack = () => ''): (event: RunEvent) => void {
  const runs = new Map<string, RunSoFar>();
  return (event) => {
    if (event.type === 'run.started') {
      runs.set(event.run, { started: event, sources: [], steps: new Map(), stack: event.stack ?? ownStack() });
    }
    const run = runs.get(event.run);
    if (!run) return;
    if (event.stack !== undefined) run.stack = event.stack;
    const stack = event.stack ?? ownStack();
    if (event.type === 'step.started' && event.source) {
      run.steps.set(sourceKey({ stack, source: event.source }), event.step);
    } else if (event.type === 'source.finished') {
      const step = event.result.error && run.steps.get(sourceKey({ stack, source: event.source }));
      run.sources.push({ ...event.result, stack, step });
    } else if (event.type === 'run.finished') {
      runs.delete(event.run);
      // Whoever asks for one of these is there to read what it says.
      if (!['verify', 'copy'].includes(run.started.trigger)) tell(outcomeOf(run, event));
    }
  };
}

// --- utils ---

function outcomeOf({ started, sources, steps, stack }: RunSoFar, finished: Finished): Outcome {
  const { run, error, result } = finished;
  const span = { run, startedAt: started.at, finishedAt: finished.at, error };
  const [source] = started.sources;
  if (started.trigger !== 'restore' || !source) {
    return { kind: 'backup', ...span, trigger: started.trigger, result, sources };
  }
  return {
    kind: 'restore',
    ...span,
    stack,
    source,
    result: result === 'ok' || result === 'cancelled' ? result : 'failed',
    step: error && steps.get(sourceKey({ stack, source })),
    // The only backup that a restore makes.
    safety: sources[0]?.backup,
  };
}
