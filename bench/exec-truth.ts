import { createHash } from 'node:crypto';
import { docker, pipeFolder, shellOf, startContainer } from '../test/support/testbed.ts';
import type { Bench } from './support/bench.ts';
import { type Path, takeSlowly } from './support/sink.ts';

const image = 'debian:trixie-slim';
const rate = 150_000;
const parallel = 20;

interface Dump {
  readonly path: Path;
  readonly ms: number;
  readonly outcome: 'whole' | 'CUT OR CHANGED' | 'failed';
  readonly why?: string;
}

/**
 * Whether dumps read slower than the Engine waits for its readers (docs/explanation/exec-truth.md) come whole. A dump may
 * be refused on a host that is too busy, but never be taken for whole when it is not.
 */
export default {
  title: `dumps of 2 MB and more read at ${rate / 1_000} kB/s, ${parallel} at a time`,
  run: async ({ isSmall, say }) => {
    await using container = await startContainer(image, { args: ['sleep', 'infinity'], run: ['--init'] });
    await using pipes = await pipeFolder();
    const shell = await shellOf(container.id, { pipes });
    // Pipes are written by helpers of the image, which has no such file: there the bytes are made anew each time.
    await docker('exec', container.name, 'sh', '-c', 'head -c 4000000 /dev/urandom >/tmp/dump');
    const whole = Buffer.from(await docker('exec', container.name, 'sh', '-c', 'base64 -w 0 /tmp/dump'), 'base64');
    const numbers = Buffer.from(Array.from({ length: 600_000 }, (_, i) => `${i + 1}\n`).join(''));
    const raw: Dump[] = [];
    const take = async (path: Path, at: number) => {
      const size = 2_000_000 + ((at * 60_007) % 900_000);
      const from = path === 'exec' ? 'head -c SIZE /tmp/dump' : 'seq 600000 | head -c SIZE';
      const expected = createHash('sha256')
        .update((path === 'exec' ? whole : numbers).subarray(0, size))
        .digest('hex');
      const startedAt = performance.now();
      const signal = AbortSignal.timeout(120_000);
      const told = await takeSlowly(shell, path, from.replace('SIZE', String(size)), rate, signal).then(
        ({ sha256 }) => ({ outcome: sha256 === expected ? ('whole' as const) : ('CUT OR CHANGED' as const) }),
        (error: unknown) => ({ outcome: 'failed' as const, why: String(error) }),
      );
      raw.push({ path, ms: Math.round(performance.now() - startedAt), ...told });
    };
    const all = async (path: Path, count: number) => {
      const waiting = Array.from({ length: count }, (_, at) => at);
      const work = async () => {
        for (let at = waiting.shift(); at !== undefined; at = waiting.shift()) await take(path, at);
      };
      await Promise.all(Array.from({ length: Math.min(parallel, count) }, work));
      say(`${path}: ${count} dumps`);
    };
    await all('exec', isSmall ? 20 : 200);
    await all('pipe', isSmall ? 5 : 50);
    const lines = (['exec', 'pipe'] as const).map((path) => {
      const dumps = raw.filter((dump) => dump.path === path);
      const count = (outcome: Dump['outcome']) => dumps.filter((dump) => dump.outcome === outcome).length;
      return `${path}: ${dumps.length} dumps, ${count('whole')} whole, ${count('CUT OR CHANGED')} wrongly taken for whole, ${count('failed')} refused`;
    });
    const refusals = raw.filter(({ why }) => why !== undefined).map(({ path, why }) => `  ${path}: ${why}`);
    return { lines: [...lines, ...refusals], raw };
  },
} satisfies Bench;
