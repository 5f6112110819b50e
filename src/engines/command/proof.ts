import type { Readable } from 'node:stream';
import { LifeboatError } from '../../domain/errors.ts';
import { formatSize } from '../../domain/quantity.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Proof, Review, ReviewedArtifact } from '../engine.ts';
import { createMeter } from './meter.ts';
import type { CommandOptions } from './options.ts';

/** Only the user's own check can tell whether the output is whole; without one the proof says how little is known. */
export async function prove(
  shell: Shell,
  name: string,
  plain: Readable,
  options: CommandOptions,
  signal: AbortSignal,
): Promise<Proof> {
  const { check, user } = options;
  const meter = createMeter(plain);
  const finished = check ? await shell.run({ argv: check, user }, meter.stream, signal) : undefined;
  await meter.drain();
  assertEnough(name, meter.bytes(), options['min-bytes']);
  if (!finished) {
    return { method: `not empty (${formatSize(meter.bytes())}); no check command was given`, counts: [] };
  }
  if (finished.exitCode === 0) return { method: 'the check command ended with exit code 0', counts: [] };
  const said = finished.stderr.trim().split('\n').slice(-3).join(' | ');
  throw new LifeboatError(
    'PROOF_FAILED',
    `the check command does not accept ${name}: ${said || `exit code ${finished.exitCode}`}`,
    { hint: 'run lifeboat.command and lifeboat.command.check by hand in the container: one of them is wrong' },
  );
}

export function review(artifacts: readonly ReviewedArtifact[], options: CommandOptions): Review {
  for (const { name, plainBytes } of artifacts) assertEnough(name, plainBytes, options['min-bytes']);
  const lines = artifacts.map(({ name, plainBytes }) => `${name}: ${formatSize(plainBytes)}`);
  return { method: `${lines.join(', ')}, at least ${formatSize(options['min-bytes'])}`, warnings: [] };
}

function assertEnough(name: string, bytes: number, least: number): void {
  if (bytes === 0) {
    throw new LifeboatError('DUMP_EMPTY', `the command of ${name} printed nothing`, {
      hint: 'it must write the backup to its standard output',
    });
  }
  if (bytes >= least) return;
  throw new LifeboatError(
    'PROOF_FAILED',
    `${name} has only ${formatSize(bytes)}, less than lifeboat.command.min-bytes`,
    { hint: 'see what the command left out, or lower lifeboat.command.min-bytes' },
  );
}
