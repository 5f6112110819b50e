import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { shortId } from '../../domain/naming.ts';
import type { RunResult, SourceResult } from '../../domain/run-event.ts';
import type { RunContext } from '../context.ts';
import type { RunControl } from '../control/control.ts';
import type { Claim } from '../control/gate.ts';
import { failureOf, RunLog } from '../history/run-log.ts';
import type { Source } from '../source.ts';
import { backupSource } from './backup.ts';
import { holdAll } from './holds.ts';
import { tidyUp } from './tidy.ts';

export interface BackupRun {
  readonly run: string;
  readonly trigger: Manifest['trigger'];
}

export interface RunOutcome {
  readonly run: string;
  readonly result: RunResult;
  readonly sources: readonly SourceResult[];
}

/**
 * One run over these sources: as many at a time as the gate lets in, each one its own story. A source that another run is
 * already backing up is skipped, and its result says so. Rejects LOCKED, without a run, when that holds for all of them,
 * or when a person asked and another sidecar writes to every destination; never for what happens to a source.
 */
export async function runBackup(
  context: RunContext,
  { gate, running }: RunControl,
  chosen: readonly Source[],
  { run, trigger }: BackupRun,
  outer: AbortSignal,
): Promise<RunOutcome> {
  using claims = new DisposableStack();
  const turns = chosen.map((source) => {
    const claim = gate.claim(source, run);
    return { source, claim: 'takenBy' in claim ? claim : claims.use(claim) };
  });
  refuseIfAllTaken(turns);
  const names = chosen.map(({ name }) => name);
  using entry = running.begin({ run, trigger, sources: names, startedAt: context.now().toISOString() }, outer);
  const { signal } = entry;
  // A person hears at once that another sidecar is writing; what the schedule asked for is tried again.
  const refuses = trigger === 'manual';
  const destinations = await context.destinations();
  await using _holds = await holdAll(destinations, chosen, refuses, signal);
  const log = new RunLog(run, context.emit, context.now);
  log.started(chosen, trigger);
  const sources = await Promise.all(
    turns.map(({ source, claim }) => {
      const voice = log.within(source.stack);
      return 'takenBy' in claim
        ? told(voice, { source: source.name, result: 'skipped', durationMs: 0, error: failureOf(taken(claim)) })
        : takeTurn(context, source, claim, { run, trigger }, voice, signal);
    }),
  );
  await tidyUp(destinations, sources, log, signal);
  const result = signal.aborted ? 'cancelled' : outcomeOf(sources);
  log.finished(result, result === 'cancelled' ? failureOf(asLifeboatError(signal.reason)) : undefined);
  return { run, result, sources };
}

/** A run that never came to its sources, told on the stream all the same: silence would look like success. */
export function tellFailedRun(
  { emit, now }: Pick<RunContext, 'emit' | 'now'>,
  planned: readonly Pick<Source, 'name' | 'stack'>[],
  { run, trigger }: BackupRun,
  thrown: unknown,
): void {
  const log = new RunLog(run, emit, now);
  const error = failureOf(thrown);
  log.started(planned, trigger);
  for (const { name, stack } of planned)
    log.within(stack).sourceFinished({ source: name, result: 'failed', durationMs: 0, error });
  log.finished('failed', error);
}

// --- utils ---

type Taken = { readonly takenBy: string };

async function takeTurn(
  context: RunContext,
  source: Source,
  claim: Claim,
  { run, trigger }: BackupRun,
  log: RunLog,
  signal: AbortSignal,
): Promise<SourceResult> {
  using _claim = claim; // Given back as soon as this source is done, not with the run.
  try {
    using _place = await claim.enter(signal);
    return await backupSource(context, source, { set: run, trigger }, log, signal);
  } catch (error) {
    // Only waiting for a place rejects: the story itself never does.
    return told(log, { source: source.name, result: 'cancelled', durationMs: 0, error: failureOf(error) });
  }
}

function told(log: RunLog, result: SourceResult): SourceResult {
  log.sourceFinished(result);
  return result;
}

function refuseIfAllTaken(turns: readonly { readonly source: Source; readonly claim: Claim | Taken }[]): void {
  const [first] = turns;
  if (!first || !('takenBy' in first.claim) || !turns.every(({ claim }) => 'takenBy' in claim)) return;
  const { takenBy } = first.claim;
  const names = turns.map(({ source }) => source.name).join(', ');
  const run = shortId(takenBy);
  throw new LifeboatError('LOCKED', `${names}: already being backed up by run ${run}`, {
    hint: `see lifeboat status; end it with lifeboat cancel ${run}`,
    retryable: true,
    context: { run: takenBy },
  });
}

function taken({ takenBy }: Taken): LifeboatError {
  return new LifeboatError('LOCKED', `run ${shortId(takenBy)} is already backing it up`, { hint: 'lifeboat status' });
}

function outcomeOf(results: readonly SourceResult[]): RunResult {
  const count = (wanted: SourceResult['result']) => results.filter(({ result }) => result === wanted).length;
  if (count('failed') === results.length) return 'failed';
  if (count('failed') + count('skipped') + count('cancelled') + count('partial') > 0) return 'partial';
  return count('degraded') > 0 ? 'degraded' : 'ok';
}
