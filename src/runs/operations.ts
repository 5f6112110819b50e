import { LifeboatError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';
import { newId, shortId } from '../domain/naming.ts';
import type { SourceResult } from '../domain/run-event.ts';
import { backupSource } from './backup.ts';
import type { RunContext } from './context.ts';
import { byId, byTime, findBackup, listBackups } from './lookup.ts';
import { makePlan, type Plan } from './plan.ts';
import { planRestore, type RestoreRequest, runRestore } from './restore.ts';
import { RunLog } from './run-log.ts';
import { matchTargets } from './target.ts';

/** Everything a person can ask of Lifeboat. The daemon serves it over its socket; without a daemon it runs in place. */
export interface Operations {
  plan(signal: AbortSignal): Promise<Plan>;
  backup(ask: BackupAsk, signal: AbortSignal): Promise<RunOutcome>;
  list(ask: ListAsk, signal: AbortSignal): Promise<BackupListing>;
  show(id: string, signal: AbortSignal): Promise<BackupDetails>;
  planRestore(ask: RestoreAsk, signal: AbortSignal): Promise<RestoreView>;
  restore(ask: RestoreAsk, signal: AbortSignal): Promise<RestoreReport>;
}

export interface BackupAsk {
  /** `service` or `service/source`; none means all. */
  readonly targets: readonly string[];
  readonly trigger: Manifest['trigger'];
}

export interface RunOutcome {
  readonly run: string;
  readonly result: 'ok' | 'degraded' | 'partial' | 'failed' | 'cancelled';
  readonly sources: readonly SourceResult[];
}

export interface ListAsk {
  readonly target?: string | undefined;
}

/** One backup, wherever it is kept. */
export interface BackupEntry {
  readonly manifest: Manifest;
  readonly destinations: readonly string[];
}

export interface BackupListing {
  /** Newest first. */
  readonly backups: readonly BackupEntry[];
  /** What could not be read, and where. */
  readonly problems: readonly { readonly destination: string; readonly key: string; readonly message: string }[];
}

export interface BackupDetails extends BackupEntry {
  readonly locations: readonly { readonly destination: string; readonly location: string; readonly key: string }[];
}

export interface RestoreAsk {
  readonly target: string;
  /** `latest`, an id or its short form, or a point in time: then the newest backup not after it. */
  readonly at: string;
  readonly as?: string | undefined;
  /** Only these databases. */
  readonly only?: readonly string[] | undefined;
  readonly skipSafety: boolean;
}

/** The plan of a restore as it is shown before anybody says yes. */
export interface RestoreView {
  readonly source: string;
  readonly stack: string;
  readonly server: string;
  readonly backup: BackupEntry;
  readonly lines: readonly string[];
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  readonly stops: readonly string[];
  readonly takesSafety: boolean;
}

export interface RestoreReport {
  readonly source: string;
  readonly backup: string;
  readonly checks: readonly string[];
  readonly warnings: readonly string[];
  readonly kept: readonly string[];
  readonly restarted: readonly string[];
  /** The line that brings back what was there before; absent when no safety backup was taken. */
  readonly undo: string | undefined;
  readonly durationMs: number;
}

/** The operations, done in this process. */
export function createOperations(context: RunContext, stack: () => Promise<string>): Operations {
  return {
    plan: async (signal) => makePlan(context, await stack(), newId(context.now()), signal),
    backup: (ask, signal) => backup(context, ask, signal),
    list: (ask, signal) => listBackups(context, ask, signal),
    show: async (id, signal) => {
      const entry = await findBackup(context, (backups) => byId(backups, id), signal);
      const all = await context.destinations();
      const locations = entry.destinations.map((name) => {
        const destination = all.find((candidate) => candidate.name === name);
        return {
          destination: name,
          location: destination?.store.location ?? '',
          key: `${entry.manifest.service}/${entry.manifest.source}/${entry.manifest.id}`,
        };
      });
      return { ...entry, locations };
    },
    planRestore: async (ask, signal) => {
      const { request, entry } = await resolveRestore(context, ask, signal);
      const plan = await planRestore(context, request, signal);
      const { server } = entry.manifest;
      return {
        source: request.source.name,
        stack: request.source.stack,
        server: `${server.product} ${server.version}`,
        backup: entry,
        ...plan.preview,
        stops: plan.stops.map(({ service }) => service),
        takesSafety: plan.takesSafety,
      };
    },
    restore: (ask, signal) => restore(context, ask, signal),
  };
}

async function backup(context: RunContext, ask: BackupAsk, signal: AbortSignal): Promise<RunOutcome> {
  const { sources } = await context.sources(signal);
  const chosen = matchTargets(sources, ask.targets);
  const log = new RunLog(newId(context.now()), context.emit, context.now);
  log.started(
    chosen.map(({ name }) => name),
    ask.trigger,
  );
  const results: SourceResult[] = [];
  for (const source of chosen) {
    const result = await backupSource(context, source, { set: log.run, trigger: ask.trigger }, log, signal);
    results.push(result);
  }
  const result = signal.aborted ? 'cancelled' : outcomeOf(results);
  log.finished(result);
  return { run: log.run, result, sources: results };
}

function outcomeOf(results: readonly SourceResult[]): RunOutcome['result'] {
  const failed = results.filter(({ result }) => result === 'failed').length;
  if (failed > 0) return failed === results.length ? 'failed' : 'partial';
  return results.some(({ result }) => result === 'degraded') ? 'degraded' : 'ok';
}

async function resolveRestore(
  context: RunContext,
  ask: RestoreAsk,
  signal: AbortSignal,
): Promise<{ request: RestoreRequest; entry: BackupEntry }> {
  const { sources } = await context.sources(signal);
  const chosen = matchTargets(sources, [ask.target]);
  const [source] = chosen;
  if (!source || chosen.length > 1) {
    throw new LifeboatError('USAGE', `${ask.target} means several sources`, {
      hint: `use one of: ${chosen.map(({ name }) => name).join(', ')}`,
    });
  }
  const isId = /^(?:\d{8}-\d{6}-)?[2-9a-hjkmnp-z]{6}$/.test(ask.at) && ask.at !== 'latest';
  const entry = await findBackup(
    context,
    (backups) => (isId ? byId(backups, ask.at) : byTime(backups, source, ask.at)),
    signal,
  );
  if (entry.manifest.engine !== source.engine.name) {
    throw new LifeboatError(
      'RESTORE_REFUSED',
      `backup ${ask.at} is of ${entry.manifest.engine}, ${source.name} is ${source.engine.name}`,
    );
  }
  const from = (await context.destinations()).find(({ name }) => entry.destinations.includes(name));
  if (!from) throw new LifeboatError('BACKUP_NOT_FOUND', `backup ${ask.at} is in no destination`);
  return {
    request: {
      source,
      manifest: entry.manifest,
      from,
      as: ask.as,
      only: ask.only,
      skipSafety: ask.skipSafety,
      run: newId(context.now()),
    },
    entry,
  };
}

async function restore(context: RunContext, ask: RestoreAsk, signal: AbortSignal): Promise<RestoreReport> {
  const startedAt = context.now();
  const { request, entry } = await resolveRestore(context, ask, signal);
  const plan = await planRestore(context, request, signal);
  const log = new RunLog(request.run, context.emit, context.now);
  log.started([request.source.name], 'restore');
  let result: 'ok' | 'failed' | 'cancelled' = signal.aborted ? 'cancelled' : 'failed';
  try {
    const { restored, safety, restarted } = await runRestore(context, plan, log, signal);
    result = 'ok';
    return {
      source: request.source.name,
      backup: entry.manifest.id,
      checks: restored.checks,
      warnings: restored.warnings,
      kept: restored.kept,
      restarted,
      undo: safety && `restore ${request.source.name} --at ${shortId(safety)}`,
      durationMs: context.now().getTime() - startedAt.getTime(),
    };
  } finally {
    log.finished(result);
  }
}
