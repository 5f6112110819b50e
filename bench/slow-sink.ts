import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { build } from 'esbuild';
import { startContainer } from '../test/support/testbed.ts';
import type { Bench } from './support/bench.ts';

const run = promisify(execFile);
const rate = 20e6;

/** Memory of a process that takes a big dump slowly; each path in a process of its own, both at the same time. */
export default {
  title: `memory while 4 GB pass into a sink that takes ${rate / 1e6} MB/s`,
  run: async ({ isSmall }) => {
    await using container = await startContainer('debian:trixie-slim', {
      args: ['sleep', 'infinity'],
      run: ['--init'],
    });
    const bytes = isSmall ? 200e6 : 4e9;
    // Bundled and started as the product is: stripping types costs more memory than what is measured here.
    const child = join(import.meta.dirname, 'results', 'slow-sink-child.mjs');
    const entryPoints = [join(import.meta.dirname, 'support', 'slow-sink-child.ts')];
    await build({ entryPoints, outfile: child, bundle: true, platform: 'node', format: 'esm', packages: 'external' });
    const raw = await Promise.all(
      ['exec', 'pipe'].map(async (path) => {
        const { stdout } = await run(process.execPath, [
          '--max-semi-space-size=1',
          child,
          path,
          container.id,
          String(bytes),
          String(rate),
        ]);
        return JSON.parse(stdout) as { path: string; bytes: number; before: number; peak: number };
      }),
    );
    const megabytes = (count: number) => `${Math.round(count / 1e6)} MB`;
    const lines = raw.map(({ path, bytes: came, before, peak }) => {
      const verdict = came === bytes && peak < 130e6 ? 'met' : 'MISSED';
      return `${path}: ${came} of ${bytes} bytes, memory ${megabytes(before)} before, at most ${megabytes(peak)} (P4: < 130 MB, ${verdict})`;
    });
    return { lines, raw };
  },
} satisfies Bench;
