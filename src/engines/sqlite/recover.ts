import type { Shell } from '../../domain/shell.ts';
import type { Recovered, Unfinished } from '../engine.ts';
import { locate } from '../location.ts';
import { mayMakeHelpers } from './bench.ts';
import { factsOf } from './facts.ts';
import { placeFor, type SwitchUndo } from './restore.ts';

/**
 * Each database takes its place by one rename of the staged copy: as long as one copy waits, all are taken back. Copies of
 * which nobody told are removed by the next restore into their folder.
 */
export async function recover(shell: Shell, { suffix, undo }: Unfinished, signal: AbortSignal): Promise<Recovered> {
  if (undo === undefined) return { live: 'before', found: 'the live databases were not touched' };
  const { databases } = undo as SwitchUndo; // Written by this engine.
  const hasHelper = await mayMakeHelpers(shell, signal);
  const isReachable = (path: string) => hasHelper && locate(shell.container, path).kind === 'mount';
  const unreachable = databases.map((database) => factsOf(database).path).filter((path) => !isReachable(path));
  const places = databases
    .filter((database) => isReachable(factsOf(database).path))
    .map((database) => placeFor(shell, database, { suffix }, hasHelper));
  const waiting = await Promise.all(places.map((place) => place.isStaged()));
  const isUnderWay = waiting.includes(true);
  if (isUnderWay) {
    await using _stopped = await shell.stopped(signal);
    for (const place of places) await place.putBack();
  }
  for (const place of places) await place.discard();
  const back = isUnderWay
    ? ({ live: 'before', found: 'the databases from before are back in place' } as const)
    : ({ live: 'either', found: 'it had been completed, or taken back' } as const);
  if (unreachable.length === 0) return back;
  const half = `${unreachable.join(', ')} may be half-written`;
  return { live: 'unknown', found: places.length === 0 ? half : `${back.found}; ${half}` };
}
