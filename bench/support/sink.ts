import { createHash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeChain } from '../../src/codecs/chain.ts';
import type { Shell } from '../../src/domain/shell.ts';

/** The same bytes over the two ways on which a dump can come. */
export type Path = 'exec' | 'pipe';

export interface Taken {
  readonly bytes: number;
  readonly sha256: string;
}

/** Takes all that a script writes, at so many bytes a second, as a slow destination does. Rejects as a dump does. */
export async function takeSlowly(
  shell: Shell,
  path: Path,
  script: string,
  bytesPerSecond: number,
  signal: AbortSignal,
): Promise<Taken> {
  const argv = ['sh', '-c', script] as const;
  if (path === 'exec') return slowly((await shell.output({ argv }, signal)).stdout, bytesPerSecond);
  await using piped = await shell.pipe({ argv, place: { kind: 'helper' } });
  const { output } = encodeChain([], signal, piped.fd);
  const [taken] = await Promise.all([slowly(output, bytesPerSecond), piped.run(signal)]);
  return taken;
}

async function slowly(source: AsyncIterable<Buffer>, bytesPerSecond: number): Promise<Taken> {
  const hash = createHash('sha256');
  const startedAt = performance.now();
  let bytes = 0;
  for await (const chunk of source) {
    hash.update(chunk);
    bytes += chunk.length;
    const ahead = (bytes / bytesPerSecond) * 1_000 - (performance.now() - startedAt);
    if (ahead > 1) await sleep(ahead);
  }
  return { bytes, sha256: hash.digest('hex') };
}
