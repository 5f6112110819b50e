import { asLifeboatError } from '../../domain/errors.ts';
import type { Emit, Failure, RunResult, SourceResult, Step } from '../../domain/run-event.ts';
import type { SourceName } from '../../domain/types.ts';
import type { Progress } from '../backup/data-path.ts';

/** The voice of one run: each method is one event of the stream that all readers share. */
export class RunLog {
  readonly run: string;
  readonly #emit: Emit;
  readonly #now: () => Date;
  readonly #stack: string | undefined;

  constructor(run: string, emit: Emit, now: () => Date, stack?: string) {
    this.run = run;
    this.#emit = emit;
    this.#now = now;
    this.#stack = stack;
  }

  /** The voice of the same run, speaking of sources of one stack. */
  within(stack: string): RunLog {
    return new RunLog(this.run, this.#emit, this.#now, stack);
  }

  #base() {
    const stack = this.#stack === undefined ? {} : { stack: this.#stack };
    return { run: this.run, at: this.#now().toISOString(), ...stack };
  }

  started(sources: readonly { readonly stack: string; readonly name: SourceName }[], trigger: string): void {
    const stacks = [...new Set(sources.map(({ stack }) => stack))];
    this.#emit({ type: 'run.started', ...this.#base(), sources: sources.map(({ name }) => name), stacks, trigger });
  }

  /** Runs one step and tells of its start and, when it succeeds, of its end. */
  async step<T>(source: SourceName, step: Step, detail: string, act: () => Promise<T>): Promise<T> {
    this.#emit({ type: 'step.started', ...this.#base(), source, step, detail });
    const result = await act();
    this.#emit({ type: 'step.finished', ...this.#base(), source, step, detail });
    return result;
  }

  entering(source: SourceName, step: Step, detail: string): void {
    this.#emit({ type: 'step.started', ...this.#base(), source, step, detail });
  }

  progress(source: SourceName, step: Step, progress: Progress, expectedBytes: number | undefined): void {
    const expected = expectedBytes === undefined ? {} : { expectedBytes };
    this.#emit({ type: 'progress', ...this.#base(), source, step, ...progress, ...expected });
  }

  warn(source: SourceName, message: string, hint?: string): void {
    this.#emit({ type: 'warning', ...this.#base(), source, message, ...(hint ? { hint } : {}) });
  }

  /** A warning about the run as a whole. */
  note(message: string, hint?: string): void {
    this.#emit({ type: 'warning', ...this.#base(), message, ...(hint ? { hint } : {}) });
  }

  /** Tells of leftovers that were removed. */
  swept(detail: string): void {
    for (const type of ['step.started', 'step.finished'] as const)
      this.#emit({ type, ...this.#base(), step: 'sweep', detail });
  }

  sourceFinished(result: SourceResult): void {
    this.#emit({ type: 'source.finished', ...this.#base(), source: result.source, result });
  }

  finished(result: RunResult, error?: Failure): void {
    this.#emit({ type: 'run.finished', ...this.#base(), result, ...(error ? { error } : {}) });
  }
}

/** An error as people and machines are told of it. */
export function failureOf(thrown: unknown): Failure {
  const { code, message, hint } = asLifeboatError(thrown);
  return { code, message, hint };
}
