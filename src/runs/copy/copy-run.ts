import { asLifeboatError, isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { backupPrefix, shortId } from '../../domain/naming.ts';
import type { RunResult, SourceResult } from '../../domain/run-event.ts';
import { sourceName } from '../../domain/types.ts';
import { tidyUp } from '../backup/tidy.ts';
import type { Destination, RunContext } from '../context.ts';
import type { RunControl } from '../control/control.ts';
import { failureOf, RunLog } from '../history/run-log.ts';
import { asFarAsRead, listBackups } from '../lookup.ts';
import type { BackupEntry, BackupListing } from '../operations.ts';
import { type CopyAsk, chooseFarEnd, chooseToCopy } from './choice.ts';
import { copyBackup } from './copy.ts';

export interface CopyReport {
  readonly run: string;
  readonly to: string;
  readonly result: Extract<RunResult, 'ok' | 'partial' | 'failed'>;
  /** Those that were to be copied, in the order in which that was tried. */
  readonly backups: readonly SourceResult[];
  /** Ids of those that the destination had already. */
  readonly there: readonly string[];
  /** Ids of those that were not tried any more, as the destination takes nothing. */
  readonly untried: readonly string[];
  /** What could not be read although it may hold some that were asked for. */
  readonly problems: BackupListing['problems'];
}

/**
 * One run that brings the chosen backups to a destination; what is complete there stays as it is. Rejects USAGE and
 * BACKUP_NOT_FOUND, with why the destination cannot be read, LOCKED while another sidecar writes there, and when it is
 * cancelled; never for what happens to one backup.
 */
export async function runCopy(
  context: RunContext,
  { running }: RunControl,
  ask: CopyAsk & { readonly run: string },
  outer: AbortSignal,
): Promise<CopyReport> {
  const to = chooseFarEnd(await context.destinations(), ask.to);
  const listing = await listAround(context, to, outer);
  const { backups, problems } = asFarAsRead(listing, () => chooseToCopy(listing, ask, context.now()));
  const isThere = ({ destinations }: BackupEntry) => destinations.includes(to.name);
  const there = backups.filter(isThere).map(({ manifest }) => manifest.id);
  const wanted = backups.filter((backup) => !isThere(backup));
  const sources = wanted.map(({ manifest }) => ({ stack: manifest.stack, name: sourceName(manifest) }));
  const startedAt = context.now().toISOString();
  const names = [...new Set(sources.map(({ name }) => name))];
  using entry = running.begin({ run: ask.run, trigger: 'copy', sources: names, startedAt }, outer);
  const { signal } = entry;
  await using _hold = wanted.length > 0 ? await to.hold(signal) : undefined;
  const log = new RunLog(ask.run, context.emit, context.now);
  log.started(sources, 'copy');
  try {
    for (const { destination, key, message } of problems)
      log.note(`${destination}: ${key ? `${key}: ` : ''}${message}`);
    const results: SourceResult[] = [];
    for (const backup of wanted) {
      const voice = log.within(backup.manifest.stack);
      const result = await copyOne(context, backup, to, voice, signal);
      voice.sourceFinished(result);
      results.push(result);
      if (isDeadEnd(result)) break;
    }
    await tidyUp([to], results, log, signal);
    const untried = wanted.slice(results.length).map(({ manifest }) => manifest.id);
    const result = outcomeOf(results, there.length, problems.length);
    log.finished(result);
    return { run: ask.run, to: to.name, result, backups: results, there, untried, problems };
  } catch (error) {
    log.finished(signal.aborted ? 'cancelled' : 'failed', failureOf(error));
    throw asLifeboatError(error);
  }
}

// --- utils ---

/** All backups, and what of the other destinations could not be read. Rejects with why the far end cannot be. */
async function listAround(context: RunContext, to: Destination, signal: AbortSignal): Promise<BackupListing> {
  const seen = await to.catalog.list({}, signal);
  const known = { ...to, catalog: { ...to.catalog, list: async () => seen } };
  const all = (await context.destinations()).map((destination) => (destination === to ? known : destination));
  const { backups, problems } = await listBackups({ destinations: async () => all }, {}, signal);
  return { backups, problems: problems.filter(({ destination }) => destination !== to.name) };
}

async function copyOne(
  context: RunContext,
  { manifest, destinations }: BackupEntry,
  to: Destination,
  log: RunLog,
  signal: AbortSignal,
): Promise<SourceResult> {
  const began = context.now().getTime();
  const source = sourceName(manifest);
  const expected = manifest.artifacts.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  let read = 0;
  const tick = () => log.progress(source, 'copy', { plainBytes: read, storedBytes: read }, expected);
  const ticker = setInterval(tick, 250);
  const copies = (await context.destinations()).filter(({ name }) => destinations.includes(name));
  const job = {
    ...{ manifest, copies, to, resume: true },
    warn: (message: string) => log.warn(source, message),
    onRead: (bytes: number) => {
      read += bytes;
    },
  };
  const { id } = manifest;
  const facts = () => ({ source, backup: id, durationMs: context.now().getTime() - began });
  try {
    const detail = `${shortId(id)} to ${to.name}`;
    const copied = await log.step(source, 'copy', detail, () => copyBackup(job, signal));
    const kept = { name: to.name, result: 'ok' as const };
    return {
      ...facts(),
      result: 'ok',
      storedBytes: expected,
      destinations: [kept],
      copied: { to: to.name, ...copied },
    };
  } catch (thrown) {
    signal.throwIfAborted();
    const error = failureOf(inTheWay(thrown, to, backupPrefix(manifest, id)));
    const lost = { name: to.name, result: 'failed' as const, error };
    return {
      ...facts(),
      result: 'failed',
      destinations: [lost],
      copied: { to: to.name, sentBytes: 0, foundBytes: 0 },
      error,
    };
  } finally {
    clearInterval(ticker);
  }
}

/** No readable backup of this id is there, but something of its name. */
function inTheWay(thrown: unknown, { name }: Destination, prefix: string): unknown {
  if (!isLifeboatError(thrown, 'OBJECT_EXISTS')) return thrown;
  return new LifeboatError('OBJECT_EXISTS', `${name} has something else in its place: ${thrown.message}`, {
    hint: `if another run is writing it (lifeboat status), copy again after it; else look at ${prefix} there, and move it away`,
    cause: thrown,
  });
}

/** The next backup would fare no better. */
function isDeadEnd({ error }: SourceResult): boolean {
  return ['STORE_UNAVAILABLE', 'STORE_UNMARKED', 'STORE_FULL', 'LOCKED'].includes(error?.code ?? '');
}

function outcomeOf(results: readonly SourceResult[], there: number, problems: number): CopyReport['result'] {
  const failed = results.filter(({ result }) => result === 'failed').length;
  if (failed > 0 && failed === results.length && there === 0) return 'failed';
  return failed > 0 || problems > 0 ? 'partial' : 'ok';
}
