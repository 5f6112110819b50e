import { writeSync } from 'node:fs';

/** Preloaded into a daemon by tests: its event loop stands still, whenever they want it. */
process.on('SIGUSR2', () => {
  writeSync(2, 'the event loop stands still\n');
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
});
