import { asLifeboatError } from '../../domain/errors.ts';
import { backupPrefix, sourcePrefix } from '../../domain/naming.ts';
import type { Failure, RunResult, SourceResult } from '../../domain/run-event.ts';
import { meant } from '../../domain/source-names.ts';
import { sourceName } from '../../domain/types.ts';
import type { VerifyLevel } from '../../domain/verify-level.ts';
import { chooseBackups } from '../choice.ts';
import type { RunContext } from '../context.ts';
import type { RunControl } from '../control/control.ts';
import { failureOf, RunLog } from '../history/run-log.ts';
import { listBackups } from '../lookup.ts';
import type { BackupEntry, BackupListing } from '../operations.ts';
import { type Present, presentSources } from './prover.ts';
import { type ListProblem, verifyBackup } from './verify-backup.ts';

export interface VerifyAsk {
  /** An id, `service` or `service/source`; absent means every source of this stack. */
  readonly target?: string | undefined;
  /** Which backup of a source: `latest` when absent. */
  readonly at?: string | undefined;
  readonly level: VerifyLevel;
  /** The id of the run, for whoever wants to know it beforehand. */
  readonly run?: string | undefined;
}

export interface VerifyReport {
  readonly run: string;
  /** `failed`: something is damaged; `partial`: something could not be read or proved. */
  readonly result: Extract<RunResult, 'ok' | 'partial' | 'failed'>;
  readonly backups: readonly SourceResult[];
  /** What could not be read although it belongs to what was asked for, and where. */
  readonly problems: BackupListing['problems'];
}

/**
 * One run that reads the chosen backups back from every destination that holds them. It changes nothing but the notes
 * beside the manifests, so it takes no lock and waits for nobody. Rejects BACKUP_NOT_FOUND; never for what it finds.
 */
export async function runVerify(
  context: RunContext,
  control: RunControl,
  ask: VerifyAsk & { readonly run: string },
  outer: AbortSignal,
): Promise<VerifyReport> {
  const [{ backups, problems }, present] = await Promise.all([
    listBackups(context, {}, outer),
    presentSources(context, outer),
  ]);
  const inScope = ask.target === undefined ? backups.filter(isOfThisStack(present)) : backups;
  const chosen = chooseBackups(inScope, ask.target, ask.at);
  const relevant = problems.filter((problem) => concerns(problem, chosen, ask.target));
  const names = chosen.map(({ manifest }) => sourceName(manifest));
  const facts = { run: ask.run, trigger: 'verify', sources: names, startedAt: context.now().toISOString() };
  using entry = control.running.begin(facts, outer);
  const { signal } = entry;
  const log = new RunLog(ask.run, context.emit, context.now);
  log.started(
    chosen.map(({ manifest }) => ({ stack: manifest.stack, name: sourceName(manifest) })),
    'verify',
  );
  try {
    const results: SourceResult[] = [];
    for (const backup of chosen) {
      const voice = log.within(backup.manifest.stack);
      const found = relevant.filter(({ key }) => key === `${prefixOf(backup)}/manifest.json`);
      const result = await verifyBackup(context, backup, found, present, ask, voice, signal);
      voice.sourceFinished(result);
      results.push(result);
    }
    const left = relevant.filter(({ key }) => !chosen.some((each) => key === `${prefixOf(each)}/manifest.json`));
    const result = resultOf(results, left);
    log.finished(result, result === 'ok' ? undefined : failureIn(left));
    return { run: ask.run, result, backups: results, problems: left };
  } catch (error) {
    log.finished(signal.aborted ? 'cancelled' : 'failed', failureOf(error));
    throw asLifeboatError(error);
  }
}

// --- utils ---

function prefixOf({ manifest }: BackupEntry): string {
  return backupPrefix(manifest, manifest.id);
}

/** A destination may hold the backups of other stacks, whose images need not be here. */
function isOfThisStack(present: Present): (entry: BackupEntry) => boolean {
  if ('why' in present) return () => true;
  const stacks = new Set(present.sources.map(({ stack }) => stack));
  return ({ manifest }) => stacks.size === 0 || stacks.has(manifest.stack);
}

/** Whole destinations do; of manifests those of the chosen backups and newer ones, which hide what is newest. */
function concerns({ key }: ListProblem, chosen: readonly BackupEntry[], target: string | undefined): boolean {
  if (key === '') return true;
  const own = chosen.filter(({ manifest }) => key.startsWith(`${sourcePrefix(manifest)}/`));
  if (own.length > 0) return own.some((entry) => key >= prefixOf(entry));
  if (target === undefined) return true;
  const [stack = '', service = '', source = ''] = key.split('/').map(decodeURIComponent);
  return meant([{ stack, service, source }], (address) => address, target).length > 0;
}

function resultOf(results: readonly SourceResult[], left: readonly ListProblem[]): VerifyReport['result'] {
  if (results.some(({ result }) => result === 'failed') || left.some(({ key }) => key !== '')) return 'failed';
  return results.some(({ result }) => result !== 'ok') || left.length > 0 ? 'partial' : 'ok';
}

function failureIn(left: readonly ListProblem[]): Failure | undefined {
  const [first] = left.toSorted((a, b) => Number(b.key !== '') - Number(a.key !== ''));
  if (!first) return undefined;
  const { destination, key, message } = first;
  return { code: key === '' ? 'STORE_UNAVAILABLE' : 'ARTIFACT_CORRUPT', message: `${destination}: ${message}` };
}
