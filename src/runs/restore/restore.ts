import { LifeboatError } from '../../domain/errors.ts';
import { shortId } from '../../domain/naming.ts';
import type { Restored } from '../../engines/engine.ts';
import { backupSource } from '../backup/backup.ts';
import type { RunContext } from '../context.ts';
import type { RunLog } from '../history/run-log.ts';
import { firstWhole } from './copies.ts';
import { assertAllowed, type RestorePlan } from './plan.ts';
import { proveCopy } from './prove.ts';
import { type PuttingBack, putBack } from './put-back.ts';
import { stopServices } from './stopped.ts';

export interface RestoreOutcome {
  readonly restored: Restored;
  /** The backup taken right before, when one was. */
  readonly safety: string | undefined;
  readonly restarted: readonly string[];
}

/**
 * The story of one restore: prove the whole backup → safety backup → stop what depends on it → stage, check, switch →
 * start again. Live data is touched only after everything was proved; whatever goes wrong, what was stopped is started,
 * unless its data is in between.
 */
export async function runRestore(
  context: RunContext,
  plan: RestorePlan,
  parts: Pick<PuttingBack, 'occupy' | 'overwrites'>,
  log: RunLog,
  signal: AbortSignal,
): Promise<RestoreOutcome> {
  const { request, preview } = plan;
  const { source, manifest } = request;
  assertAllowed(preview);
  const backup = shortId(manifest.id);
  await using held = new AsyncDisposableStack();
  const from = await log.step(source.name, 'prove', `backup ${backup}`, () =>
    firstWhole(
      backup,
      request.copies,
      async ({ store }) => held.use(await proveCopy(context, request, store, signal)),
      (warning) => log.warn(source.name, warning),
      signal,
    ),
  );
  const safety = plan.takesSafety ? await takeSafety(context, plan, log, signal) : undefined;

  await using stopped = await stopServices(context.lifecycle, plan.stops, source, log, signal);
  const restored = await putBack(context, plan, { ...parts, from, stopped }, log, signal);
  for (const warning of restored.warnings) log.warn(source.name, warning);
  const names = stopped.containers().map(({ service }) => service);
  const start = () => stopped.startAgain(signal);
  const restarted = names.length === 0 ? [] : await log.step(source.name, 'start', names.join(', '), start);
  return { restored, safety, restarted };
}

// --- utils ---

/** What is replaced is saved, also what the labels of today leave out. */
async function takeSafety(
  context: RunContext,
  { request, preview }: RestorePlan,
  log: RunLog,
  signal: AbortSignal,
): Promise<string | undefined> {
  const { settings } = request.source;
  const source = { ...request.source, settings: { ...settings, options: preview.saving ?? settings.options } };
  log.entering(source.name, 'safety', 'of what is there now');
  const result = await backupSource(context, source, { set: request.run, trigger: 'safety' }, log, signal);
  if (result.backup) return result.backup;
  if (result.error?.code === 'SOURCE_NOT_FOUND') {
    log.warn(request.source.name, `no safety backup: ${result.error.message}`);
    return undefined;
  }
  throw new LifeboatError(
    'RESTORE_REFUSED',
    `the safety backup failed: ${result.error?.message ?? 'no reason given'}`,
    {
      hint: 'nothing was touched; repair the cause, or restore with --no-safety-backup',
    },
  );
}
