import { LifeboatError } from '../domain/errors.ts';

/** How long nothing may come from a command before we look whether it is still there. */
export const silenceMs = 10_000;

/** To be told of every sign of life; dispose of it when nothing more is expected. */
export interface Watch extends Disposable {
  alive(): void;
}

/**
 * Has a look each time nothing was heard for a while, and hands over the reason when the look rejects. A quiet dump may be
 * healthy, so silence alone never ends anything; but a process that has ended, or was paused, says nothing more either,
 * and the end of its stream can get lost on the way to us.
 */
export function watchSilence(quietMs: number, look: () => Promise<void>, fail: (reason: Error) => void): Watch {
  let last = performance.now();
  const timer = setInterval(
    () => {
      if (performance.now() - last < quietMs) return;
      last = performance.now();
      look().catch(fail);
    },
    Math.min(quietMs, 5_000),
  );
  timer.unref();
  return {
    alive: () => {
      last = performance.now();
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}

/** For what the Engine calls over while its stream goes on in silence. */
export function endLost(title: string): LifeboatError {
  return new LifeboatError('DUMP_INCOMPLETE', `${title} is over, but the end of its output never came`, {
    retryable: true,
    hint: 'the connection to the Engine was lost without a word, or the process was killed: look for an out-of-memory kill',
  });
}
