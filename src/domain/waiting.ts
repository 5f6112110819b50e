/** Lets several wait for something to change, and wakes them in the order in which they came. */
export interface Waiting {
  /** Resolves at the next change; rejects with the signal's reason. */
  change(signal?: AbortSignal): Promise<void>;
  /** Wakes everybody: each looks for itself whether it was what it waits for. */
  changed(): void;
}

export function createWaiting(): Waiting {
  let waiting: (() => void)[] = [];
  return {
    change: (signal) =>
      new Promise<void>((resolve, reject) => {
        const cancel = () => {
          waiting = waiting.filter((other) => other !== wake);
          reject(signal?.reason);
        };
        const wake = () => {
          signal?.removeEventListener('abort', cancel);
          resolve();
        };
        waiting.push(wake);
        signal?.addEventListener('abort', cancel, { once: true });
      }),
    changed: () => {
      const woken = waiting;
      waiting = [];
      for (const wake of woken) wake();
    },
  };
}
