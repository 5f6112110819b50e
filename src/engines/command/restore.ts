import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Restored, RestorePreview, RestoreSource, RestoreSteps, RestoreTarget } from '../engine.ts';
import { createMeter } from './meter.ts';
import type { CommandOptions } from './options.ts';
import { prove } from './proof.ts';

export function preview(shell: Shell, target: RestoreTarget, options: CommandOptions): RestorePreview {
  const { service } = shell.container;
  const refusals: string[] = [];
  if (!options.restore) refusals.push(`service ${service} has no lifeboat.command.restore`);
  if (target.as !== undefined) refusals.push('the restore command cannot be told another name');
  return {
    lines: [`run the restore command in ${service}, on its live data: it alone decides what is replaced`],
    refusals,
    warnings: ['nothing can be staged or taken back by Lifeboat: the safety backup is the way back'],
  };
}

/**
 * The bytes are read twice: a command cannot tell a source that broke from the end of its input, so it gets its first
 * byte only after all of them were read and checked.
 */
export async function restore(
  shell: Shell,
  from: RestoreSource,
  target: RestoreTarget,
  options: CommandOptions,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<Restored> {
  const [refusal] = preview(shell, target, options).refusals;
  if (refusal || !options.restore) {
    throw new LifeboatError('RESTORE_REFUSED', refusal ?? 'there is no restore command', {
      hint: 'add the label lifeboat.command.restore: a command that reads the backup on its standard input',
    });
  }
  const artifact = outputOf(from.manifest, target);
  steps.staging(artifact.name);
  steps.checking(artifact.name);
  const proof = await prove(shell, artifact.name, await from.open(artifact, signal), options, signal);
  await steps.switching(artifact.name, {});
  const meter = createMeter(await from.open(artifact, signal));
  const finished = await shell.run({ argv: options.restore, user: options.user }, meter.stream, signal);
  if (finished.exitCode !== 0) {
    const said = finished.stderr.trim().split('\n').slice(-3).join(' | ');
    throw new LifeboatError(
      'RESTORE_FAILED',
      `the restore command failed: ${said || `exit code ${finished.exitCode}`}`,
      {
        hint: 'what it did before that stays done; restore the safety backup, or repair the cause and restore again',
      },
    );
  }
  const unread = await meter.drain();
  return {
    checks: [proof.method, `the restore command ended with exit code 0 after ${meter.bytes() - unread} bytes`],
    warnings: unread > 0 ? [`the restore command left ${unread} bytes unread`] : [],
    kept: [],
  };
}

function outputOf({ artifacts }: Manifest, { only }: RestoreTarget): Artifact {
  const found = artifacts.find(({ name }) => only === undefined || only.includes(name));
  if (found && (only?.length ?? 1) === 1) return found;
  throw new LifeboatError('BACKUP_NOT_FOUND', `this backup has no ${only?.join(', ') ?? 'output'}`, {
    hint: `it has: ${artifacts.map(({ name }) => name).join(', ')}`,
  });
}
