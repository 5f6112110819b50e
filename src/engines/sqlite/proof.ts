import type { Readable } from 'node:stream';
import { notWholeHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { many } from '../../domain/many.ts';
import type { Finished, Shell } from '../../domain/shell.ts';
import type { ArtifactFacts, Proof, Review, ReviewedArtifact } from '../engine.ts';
import { runOnBench, scratchFor } from './bench.ts';
import { countsOfProof, differences, foreignKeyCount, merged, parseTold, type Told } from './counting.ts';
import { factsOf } from './facts.ts';
import { check, count, exitCodes, scratch } from './script.ts';

const proveScript = `${scratch}${check}${count}
cat >copy || fail 73 'there is no room for a copy to check'
count copy rows >counted &
check copy
wait
cat counted`;

/** The plain bytes as a file of their own: whole, sound, and what they hold. */
export async function prove(
  shell: Shell,
  artifact: ArtifactFacts,
  plain: Readable,
  signal: AbortSignal,
): Promise<Proof> {
  const told = await checkBytes(shell, artifact.name, plain, factsOf(artifact).bytes, signal);
  return { method: told.checked ?? '', counts: countsOfProof(told) };
}

/** Checks bytes on the bench; rejects PROOF_FAILED when they are no whole database. `bytes` is about how many come. */
export async function checkBytes(
  shell: Shell,
  name: string,
  plain: Readable,
  bytes: number,
  signal: AbortSignal,
): Promise<Told> {
  const finished = await runOnBench(shell, proveScript, [], scratchFor(bytes), plain, signal);
  if (finished.exitCode !== 0) throw refused(name, finished);
  const told = parseTold(finished.stdout);
  if (told.checked !== undefined) return told;
  throw new LifeboatError('PROOF_FAILED', `nothing was found out about the copy of ${name}`, { hint: notWholeHint });
}

/** What was counted in the copy while it was made against what the stored bytes hold. */
export function review(artifacts: readonly ReviewedArtifact[]): Review {
  const warnings: string[] = [];
  const lines = artifacts.map(({ name, counts }) => {
    const made = merged(counts, 'catalogue', 'exact');
    const stored = merged(counts, 'dump');
    const differing = differences(made, stored);
    if (differing.length > 0) {
      throw new LifeboatError(
        'PROOF_FAILED',
        `the stored copy of ${name} is not what was read: ${differing.slice(0, 5).join(', ')}`,
        { hint: notWholeHint },
      );
    }
    const violations = stored[foreignKeyCount] ?? 0;
    if (violations > 0)
      warnings.push(
        `${name}: ${violations === 1 ? '1 row refers' : `${violations} rows refer`} to rows that do not exist, as in the app itself`,
      );
    if ((stored.tables ?? 0) === 0) warnings.push(`${name} holds no table`);
    const counted = Object.keys(made).length > 0 ? ', as counted while it was read' : '';
    return `${name}: ${many(stored.tables ?? 0, 'table')}, ${many(rowsOf(stored), 'row')}${counted}`;
  });
  return { method: lines.join('; ') || 'no database to compare', warnings };
}

/** Rows of all tables together. */
export function rowsOf(counts: Readonly<Record<string, number>>): number {
  return Object.entries(counts).reduce((sum, [what, number]) => (what.startsWith('rows of ') ? sum + number : sum), 0);
}

function refused(name: string, { exitCode, stderr }: Finished): LifeboatError {
  const said = stderr.trim().split('\n').slice(-3).join(' | ');
  return exitCode === exitCodes.badData
    ? new LifeboatError('PROOF_FAILED', `the copy of ${name} is no whole database: ${said}`, { hint: notWholeHint })
    : new LifeboatError(
        'COMMAND_FAILED',
        `the copy of ${name} could not be checked: ${said || `exit code ${exitCode}`}`,
        {
          hint: 'the helper that checks it has failed, not the copy: look for an out-of-memory kill or a full disk on the host',
        },
      );
}
