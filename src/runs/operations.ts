import { LifeboatError } from '../domain/errors.ts';
import type { Manifest } from '../domain/manifest.ts';
import { backupPrefix, newId } from '../domain/naming.ts';
import type { CopyVerification } from '../domain/verification.ts';
import { type RunOutcome, runBackup } from './backup/backup-run.ts';
import type { RunContext } from './context.ts';
import type { RunControl } from './control/control.ts';
import type { CopyAsk } from './copy/choice.ts';
import { type CopyReport, runCopy } from './copy/copy-run.ts';
import type { OpenableDestination } from './doctor/destination-check.ts';
import { type DoctorReport, type Examinations, examine } from './doctor/doctor.ts';
import type { RunRecord } from './history/history-view.ts';
import type { DiskJournal } from './journal/journal.ts';
import type { Repaired } from './journal/repair.ts';
import { byId, findBackup, listBackups } from './lookup.ts';
import { makePlan, type Plan } from './plan.ts';
import { planRestore } from './restore/plan.ts';
import { resolveRestore } from './restore/resolve.ts';
import { restoreRun } from './restore/restore-run.ts';
import { readStatus, type Status, type StatusFacts } from './status/status.ts';
import { matchTargets } from './target.ts';
import { withVerifications } from './verify/verifications.ts';
import { runVerify, type VerifyAsk, type VerifyReport } from './verify/verify.ts';

export type { RunOutcome } from './backup/backup-run.ts';
export type { CopyAsk } from './copy/choice.ts';
export type { CopyReport } from './copy/copy-run.ts';
export type { VerifyAsk, VerifyReport } from './verify/verify.ts';

/** Everything a person can ask of Lifeboat. The daemon serves it over its socket; without a daemon it runs in place. */
export interface Operations {
  plan(signal: AbortSignal): Promise<Plan>;
  backup(ask: BackupAsk, signal: AbortSignal): Promise<RunOutcome>;
  list(ask: ListAsk, signal: AbortSignal): Promise<BackupListing>;
  show(id: string, signal: AbortSignal): Promise<BackupDetails>;
  planRestore(ask: RestoreAsk, signal: AbortSignal): Promise<RestoreView>;
  restore(ask: RestoreAsk, signal: AbortSignal): Promise<RestoreReport>;
  /** Reads chosen backups back from everywhere they lie. Never rejects for what it finds: the report says it. */
  verify(ask: VerifyAsk, signal: AbortSignal): Promise<VerifyReport>;
  /** Brings chosen backups to another destination. Never rejects for what happens to one of them: the report says it. */
  copy(ask: CopyAsk, signal: AbortSignal): Promise<CopyReport>;
  /** Looks at everything a backup needs and changes nothing; what is wrong is in the report. */
  doctor(signal: AbortSignal): Promise<DoctorReport>;
  status(signal: AbortSignal): Promise<Status>;
  /** Ends a run that is under way, by whole or short id; resolves with the whole one. Rejects RUN_NOT_FOUND. */
  cancel(run: string, signal: AbortSignal): Promise<string>;
  /** What was said in a run, the newest when none is named. Rejects RUN_NOT_FOUND. */
  logs(ask: LogsAsk, signal: AbortSignal): Promise<RunRecord>;
}

export interface BackupAsk {
  /** `service` or `service/source`; none means all. */
  readonly targets: readonly string[];
  readonly trigger: Manifest['trigger'];
  /** The id of the run, for whoever wants to know it beforehand. */
  readonly run?: string | undefined;
}

export interface LogsAsk {
  readonly run?: string | undefined;
}

export interface ListAsk {
  readonly target?: string | undefined;
}

/** One backup, wherever it is kept. */
export interface BackupEntry {
  readonly manifest: Manifest;
  readonly destinations: readonly string[];
  /** The last verification of each copy that had one; absent where nobody looked for it. */
  readonly verified?: readonly CopyVerification[];
}

export interface BackupListing {
  /** Newest first. */
  readonly backups: readonly BackupEntry[];
  /** What could not be read, and where; without a key it is the destination as a whole. */
  readonly problems: readonly { readonly destination: string; readonly key: string; readonly message: string }[];
}

export interface BackupDetails extends BackupEntry {
  readonly locations: readonly { readonly destination: string; readonly location: string; readonly key: string }[];
}

export interface RestoreAsk {
  readonly target: string;
  /** `latest`, an id or its short form, or a point in time: then the newest backup not after it. */
  readonly at: string;
  /** What gets it, named as the target is; absent means the target itself. */
  readonly to?: string | undefined;
  readonly as?: string | undefined;
  /** Only these databases. */
  readonly only?: readonly string[] | undefined;
  readonly skipSafety: boolean;
  /** How long it can still be cancelled before anything is touched; absent means not at all. */
  readonly delayMs?: number | undefined;
  /** The id of the run, for whoever wants to know it beforehand. */
  readonly run?: string | undefined;
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
  readonly run: string;
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

export interface OperationParts {
  readonly context: RunContext;
  readonly control: RunControl;
  readonly status: StatusFacts;
  readonly examinations: Examinations;
  readonly destinations: readonly OpenableDestination[];
  /** The name of the stack. */
  stack(): Promise<string>;
  /** Puts back what was left open. */
  repair(journal: Pick<DiskJournal, 'leftOpen'>): Promise<Repaired>;
}

/** The operations, done in this process. */
export function createOperations(parts: OperationParts): Operations {
  const { context, control, status, stack } = parts;
  return {
    plan: async (signal) => makePlan(context, await stack(), newId(context.now()), signal),
    backup: async (ask, signal) => {
      const { sources } = await context.sources(signal, 'anew');
      const run = { run: ask.run ?? newId(context.now()), trigger: ask.trigger };
      return runBackup(context, control, matchTargets(sources, ask.targets), run, signal);
    },
    list: async (ask, signal) => withVerifications(context, await listBackups(context, ask, signal), signal),
    show: async (id, signal) => {
      const found = await findBackup(context, (backups) => byId(backups, id), signal);
      const listing = await withVerifications(context, { backups: [found.entry], problems: [] }, signal);
      const [entry = found.entry] = listing.backups;
      const all = await context.destinations();
      const locations = entry.destinations.map((name) => {
        const destination = all.find((candidate) => candidate.name === name);
        return {
          destination: name,
          location: destination?.store.location ?? '',
          key: backupPrefix(entry.manifest, entry.manifest.id),
        };
      });
      return { ...entry, locations };
    },
    planRestore: async (ask, signal) => {
      const { request, entry, doubts } = await resolveRestore(context, ask, signal);
      const plan = await planRestore(context, request, signal);
      const { server } = entry.manifest;
      const { lines, refusals, warnings } = plan.preview;
      return {
        source: request.source.name,
        stack: request.source.stack,
        server: `${server.product} ${server.version}`,
        backup: entry,
        lines,
        refusals,
        warnings: [...warnings, ...doubts],
        stops: plan.stops.map(({ service }) => service),
        takesSafety: plan.takesSafety,
      };
    },
    restore: (ask, signal) => restoreRun(parts, ask, signal),
    verify: (ask, signal) => runVerify(context, control, { ...ask, run: ask.run ?? newId(context.now()) }, signal),
    copy: (ask, signal) => runCopy(context, control, { ...ask, run: ask.run ?? newId(context.now()) }, signal),
    doctor: (signal) => examine(context, parts.examinations, parts.destinations, signal),
    status: (signal) => readStatus(context, control, status, stack, signal),
    cancel: async (run) => control.running.cancel(run, new LifeboatError('CANCELLED', 'a person cancelled it')),
    logs: async ({ run }) => {
      const record = status.history.record(run);
      if (record) return record;
      const what = run === undefined ? 'no run is remembered' : `no run ${run} is remembered`;
      throw new LifeboatError('RUN_NOT_FOUND', what, {
        hint:
          run === undefined ? 'lifeboat backup' : 'lifeboat logs shows the last run, lifeboat status those that failed',
      });
    },
  };
}
