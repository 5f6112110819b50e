import type { Shell } from '../../domain/shell.ts';
import type { Recovered, Unfinished } from '../engine.ts';
import { placeOf } from './place.ts';
import type { SwitchUndo } from './restore.ts';

/**
 * As long as one folder waits for its switch, or is in the midst of it, all are taken back; a tree that was put back waits
 * again until all are, so that whoever is killed here comes to the same end. Trees of which nobody told are removed by the
 * next restore into their folder.
 */
export async function recover(shell: Shell, { suffix, undo }: Unfinished, signal: AbortSignal): Promise<Recovered> {
  if (undo === undefined) return { live: 'before', found: 'the live files were not touched' };
  const { folders } = undo as SwitchUndo; // Written by this engine.
  const places = folders.map((folder) => placeOf(shell, folder, suffix));
  const states: string[] = [];
  for (const place of places) states.push(await place.state());
  const isUnderWay = states.includes('staged') || states.includes('moving');
  if (isUnderWay) {
    await using _stopped = await shell.stopped(signal);
    for (const place of places) await place.putBack();
  }
  for (const place of places) await place.discard();
  if (isUnderWay) return { live: 'before', found: 'the files from before are back in place' };
  return states.includes('moved')
    ? { live: 'restored', found: 'all files had been switched' }
    : { live: 'either', found: 'it had been completed, or taken back' };
}
