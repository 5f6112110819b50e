import { setTimeout as sleep } from 'node:timers/promises';
import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { shortId } from '../../domain/naming.ts';
import { formatDuration } from '../../domain/quantity.ts';
import type { Container } from '../../domain/types.ts';
import type { ServiceAddress } from '../control/gate.ts';
import { failureOf, RunLog } from '../history/run-log.ts';
import type { OperationParts, RestoreAsk, RestoreReport } from '../operations.ts';
import { leftBefore } from './left-before.ts';
import { planRestore } from './plan.ts';
import type { RestoreRequest } from './request.ts';
import { resolveRestore } from './resolve.ts';
import { runRestore } from './restore.ts';
import { undoOf } from './undo.ts';

/** One restore from question to report: it occupies what it changes, can be cancelled, and is logged. */
export async function restoreRun(parts: OperationParts, ask: RestoreAsk, outer: AbortSignal): Promise<RestoreReport> {
  const { context, control, status } = parts;
  const startedAt = context.now();
  const { request, entry } = await resolveRestore(context, ask, outer);
  const plan = await planRestore(context, request, outer);
  using services = new DisposableStack();
  const occupy = (containers: readonly Container[]) =>
    void services.use(control.gate.occupy(servicesOf(request, containers), request.run));
  occupy(plan.stops);
  const { name, stack } = request.source;
  const facts = { run: request.run, trigger: 'restore', sources: [name], startedAt: startedAt.toISOString() };
  using entered = control.running.begin(facts, outer);
  const log = new RunLog(request.run, context.emit, context.now, stack);
  log.started([request.source], 'restore');
  try {
    // A client of `docker exec` cannot interrupt what it began there: only a run that has an id can be stopped by anybody.
    const stop = status.schedule ? `docker exec sidecar cancel ${shortId(request.run)}` : 'Ctrl-C';
    if (ask.delayMs) await pause(ask.delayMs, stop, log, entered.signal);
    const before = await leftBefore(parts, request, log);
    const { overwrites } = before;
    const { restored, safety, restarted } = await runRestore(
      context,
      plan,
      { occupy, overwrites },
      log,
      entered.signal,
    );
    await before.startAgain();
    const undo = safety && (await undoOf(context, request, safety, entered.signal));
    log.finished('ok');
    return {
      run: request.run,
      source: name,
      backup: entry.manifest.id,
      checks: restored.checks,
      warnings: restored.warnings,
      kept: restored.kept,
      restarted,
      undo,
      durationMs: context.now().getTime() - startedAt.getTime(),
    };
  } catch (error) {
    const isOver = !(error instanceof LifeboatError && error.context.isInBetween);
    log.finished(entered.signal.aborted && isOver ? 'cancelled' : 'failed', failureOf(error));
    throw asLifeboatError(error);
  }
}

// --- utils ---

/** Time for second thoughts. Rejects CANCELLED when somebody has them. */
async function pause(ms: number, stop: string, log: RunLog, signal: AbortSignal): Promise<void> {
  log.note(`the restore begins in ${formatDuration(ms)}; --yes skips this wait`, `to stop it: ${stop}`);
  await sleep(ms, undefined, { signal }).catch(() => {
    const { code, message } = asLifeboatError(signal.reason);
    throw new LifeboatError(code, message, { hint: 'nothing was touched' });
  });
}

/** The services whose data or containers a restore changes. */
function servicesOf({ source }: RestoreRequest, stops: readonly Container[]): readonly ServiceAddress[] {
  const { stack } = source;
  return [source, ...stops.map(({ service }) => ({ stack, service }))];
}
