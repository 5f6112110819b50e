import { LifeboatError } from '../../src/domain/errors.ts';
import type { Session, Shell } from '../../src/domain/shell.ts';

/** A shell whose owner can be killed: from then on nothing is done any more, not even what would be put back. */
export interface MortalShell {
  readonly shell: Shell;
  /** Lets so many more calls through; what is asked after them finds nobody alive. */
  dieAfter(calls: number): void;
  readonly isDead: boolean;
}

export function mortal(shell: Shell): MortalShell {
  let left = Number.POSITIVE_INFINITY;
  let isDead = false;
  const sessions: Session[] = [];
  const live = () => {
    left -= 1;
    if (left >= 0) return;
    if (!isDead) for (const session of sessions) void session[Symbol.asyncDispose]();
    isDead = true;
    throw new LifeboatError('CANCELLED', 'killed');
  };
  /** What a dead process holds is not given back by it. */
  const held = async (holding: Promise<AsyncDisposable>): Promise<AsyncDisposable> => {
    const hold = await holding;
    return { [Symbol.asyncDispose]: async () => (isDead ? undefined : hold[Symbol.asyncDispose]()) };
  };
  const calls: Partial<Record<keyof Shell, unknown>> = {
    stopped: async (signal?: AbortSignal) => {
      live();
      return held(shell.stopped(signal));
    },
    paused: async (signal?: AbortSignal) => {
      live();
      return held(shell.paused(signal));
    },
    session: async (...args: Parameters<Shell['session']>) => {
      live();
      const session = await shell.session(...args);
      sessions.push(session);
      const mortalSession: Session = {
        ask: async (...asked) => {
          live();
          return session.ask(...asked);
        },
        [Symbol.asyncDispose]: async () => session[Symbol.asyncDispose](),
      };
      return mortalSession;
    },
  };
  for (const name of ['text', 'run', 'output', 'start', 'copyOut', 'copyIn', 'pipe'] as const) {
    calls[name] = async (...args: never[]) => {
      live();
      return (shell[name] as (...given: never[]) => unknown).apply(shell, args);
    };
  }
  return {
    shell: new Proxy(shell, { get: (target, name) => Reflect.get(calls, name) ?? Reflect.get(target, name) }),
    dieAfter: (calls) => {
      left = calls;
    },
    get isDead() {
      return isDead;
    },
  };
}
