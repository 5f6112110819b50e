import { LifeboatError } from '../../domain/errors.ts';
import type { RestoreIntent } from '../../domain/journal.ts';
import { newId } from '../../domain/naming.ts';
import type { Recovered } from '../../engines/engine.ts';
import type { RunContext } from '../context.ts';
import { waitUntilReady } from '../readiness.ts';

/** How long one recovery may take: nothing is copied, but a server may have to come up first. */
const patienceMs = 600_000;

/**
 * Has the engine take back, or call complete, a restore that did not come to its end. Rejects SOURCE_NOT_FOUND when the
 * service is gone for good.
 */
export async function recoverRestore(
  context: RunContext,
  intent: Omit<RestoreIntent, 'kind' | 'note'>,
): Promise<Recovered> {
  const { container: role, source: name } = intent;
  const signal = AbortSignal.timeout(patienceMs);
  const { sources } = await context.candidates(signal);
  const source = sources.find(
    (candidate) =>
      candidate.name === name && candidate.container.stack === role.stack && candidate.container.number === role.number,
  );
  if (!source) {
    throw new LifeboatError('SOURCE_NOT_FOUND', `there is no ${name} any more`, {
      hint: 'what the restore had staged may still lie in its volumes',
    });
  }
  const { container, settings, engine } = source;
  const found = container.state === 'running' ? await waitUntilReady(context, container, signal) : container;
  const shell = context.shell(found, newId(context.now()), settings.stopGraceMs);
  return engine.recover(shell, intent, settings.options, signal);
}
