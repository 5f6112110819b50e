import { basename } from 'node:path/posix';
import { LifeboatError } from '../../domain/errors.ts';
import type { Finished, Shell } from '../../domain/shell.ts';
import type { Recovered, Unfinished } from '../engine.ts';
import { createClient } from './client.ts';
import type { RedisOptions } from './options.ts';
import { beside, isShared, placeOf } from './place.ts';
import { backScript, progressScript } from './scripts.ts';
import { describeServer } from './server.ts';
import { foldersOf, type SwitchUndo } from './switch.ts';

/** A switch moves the staged folder's files away and removes it at its end: as long as that is there, it is taken back. */
export async function recover(
  shell: Shell,
  { suffix, undo }: Unfinished,
  options: RedisOptions,
  signal: AbortSignal,
): Promise<Recovered> {
  const untouched = { live: 'before', found: 'the live data was not touched' } as const;
  const found = undo === undefined ? await undoOfRunning(shell, options, signal) : (undo as SwitchUndo); // Written by this engine.
  if (!found) return { ...untouched, found: `${untouched.found}; what was staged goes with the next restore` };
  const { folder, owner, parts } = found;
  const { staged, kept } = foldersOf(folder, suffix);
  const place = placeOf(shell.container, folder);
  if (!isShared(place)) {
    if (undo === undefined) return untouched;
    const half = `files in the container's own layer may be half-written; a copy from before is in ${kept}`;
    return { live: 'unknown', found: half };
  }
  const run = (script: string, ...args: string[]) =>
    shell.run({ argv: ['sh', '-c', script, 'sh', ...args], user: owner, place: beside(place.mount, owner) });
  const { exitCode } = await run(progressScript, staged, kept);
  if (exitCode === 4) return { live: 'restored', found: 'it had been completed' };
  if (exitCode === 5) {
    await using _stopped = await shell.stopped(signal);
    demandSuccess(await run(backScript, folder, basename(kept), ...parts), kept);
  }
  demandSuccess(await run('rm -rf -- "$1"', staged), staged);
  return exitCode === 5 ? { live: 'before', found: 'the data from before is back in place' } : untouched;
}

/** Where a running server keeps its data; a stopped one cannot be asked. */
async function undoOfRunning(
  shell: Shell,
  options: RedisOptions,
  signal: AbortSignal,
): Promise<SwitchUndo | undefined> {
  if (shell.container.state !== 'running') return undefined;
  const { layout } = await describeServer(await createClient(shell, options, signal), options, signal);
  return { folder: layout.folder, owner: layout.owner, parts: [] };
}

function demandSuccess({ exitCode, stderr }: Finished, folder: string): void {
  if (exitCode === 0) return;
  throw new LifeboatError('RESTORE_FAILED', `the interrupted restore could not be taken back: ${stderr.trim()}`, {
    hint: `look at ${folder} in the container: what is kept there is the data from before`,
  });
}
