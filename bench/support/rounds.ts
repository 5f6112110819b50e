import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import type { Given, Outcome } from './bench.ts';
import { median, table } from './statistics.ts';

const execute = promisify(execFile);

/** Figures of one run beside its seconds, e.g. `{ 'MB of memory': 104 }`. */
export type Figures = Readonly<Record<string, number>>;

export interface Contestant {
  readonly name: string;
  /** What is timed. */
  run(): Promise<Figures | undefined> | Promise<void>;
  /** Not timed: what a run needs, and what it leaves. */
  readonly before?: () => Promise<unknown>;
  readonly after?: () => Promise<unknown>;
}

/** What a figure of one contestant should be: at most so many times another's, or at most so much. */
export interface Target {
  /** Its number in docs/explanation/performance.md. */
  readonly id: string;
  readonly of: string;
  readonly against?: string;
  /** `seconds` when absent. */
  readonly figure?: string;
  readonly atMost: number;
}

type Rounds = readonly Readonly<Record<string, Figures>>[];

/**
 * All contestants once per round, each round beginning with another one, so that whatever else happens on the machine
 * happens to all of them. Targets are printed, never asserted: a bench tells, it does not fail.
 */
export async function race(
  { rounds, say }: Given,
  contestants: readonly Contestant[],
  targets: readonly Target[],
): Promise<Outcome> {
  const results: Record<string, Figures>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const result: Record<string, Figures> = {};
    for (const contestant of rotated(contestants, round)) result[contestant.name] = await measure(contestant);
    results.push(result);
    say(
      `round ${round + 1}: ${contestants.map(({ name }) => `${name} ${result[name]?.seconds?.toFixed(2)}`).join(', ')}`,
    );
  }
  return {
    lines: [...figureLines(contestants, results), ...targets.map((one) => targetLine(one, results))],
    raw: results,
  };
}

async function measure({ run, before, after }: Contestant): Promise<Figures> {
  await before?.();
  await execute('sync'); // What an earlier run left to be written is not paid for by this one.
  const begun = performance.now();
  const figures = await run();
  const seconds = (performance.now() - begun) / 1_000;
  await after?.();
  return { seconds, ...(figures ?? {}) };
}

function rotated<T>(all: readonly T[], by: number): readonly T[] {
  const start = by % all.length;
  return [...all.slice(start), ...all.slice(0, start)];
}

function figureLines(contestants: readonly Contestant[], rounds: Rounds): readonly string[] {
  const rows = contestants.flatMap(({ name }) =>
    Object.keys(rounds[0]?.[name] ?? {}).map((figure) => {
      const values = valuesOf(rounds, name, figure);
      return [
        name,
        median(values).toFixed(2),
        `${Math.min(...values).toFixed(2)} – ${Math.max(...values).toFixed(2)}`,
        figure,
      ];
    }),
  );
  return table([['', 'median', 'min – max', ''], ...rows]);
}

function targetLine({ id, of, against, figure = 'seconds', atMost }: Target, rounds: Rounds): string {
  const ours = valuesOf(rounds, of, figure);
  const theirs = against === undefined ? ours.map(() => 1) : valuesOf(rounds, against, figure);
  const value = median(ours) / median(theirs);
  const each = ours.map((one, i) => one / (theirs[i] ?? Number.NaN));
  const spread = `${Math.min(...each).toFixed(2)} – ${Math.max(...each).toFixed(2)}`;
  const what = against === undefined ? `${of}, ${figure}` : `${of} / ${against}`;
  return `${id}: ${what} = ${value.toFixed(2)} (${spread}), target ≤ ${atMost.toFixed(2)}: ${value <= atMost ? 'met' : 'MISSED'}`;
}

function valuesOf(rounds: Rounds, name: string, figure: string): readonly number[] {
  return rounds.map((round) => round[name]?.[figure] ?? Number.NaN);
}
