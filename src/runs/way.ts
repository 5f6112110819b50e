import type { Shell } from '../domain/shell.ts';
import type { DataPath } from '../domain/types.ts';
import type { Dump, Produce, Survey } from '../engines/engine.ts';
import type { Source } from './source.ts';

/** How the bytes of a dump come, and why this way. */
export interface Way {
  readonly taken: DataPath;
  readonly why: string;
}

/** Below this, creating a container costs more than it saves. */
const pipeFromBytes = 64 * 1024 ** 2;

export interface WayChooser {
  choose(dump: Dump, expectedBytes: number | undefined, signal: AbortSignal): Promise<Way>;
}

/** Picks the way of each dump of one source: by wish, by what the engine offers, by size, and by what works here. */
export function createWayChooser(source: Source, shell: Shell, survey: Survey): WayChooser {
  let reached: Promise<string | undefined> | undefined;
  return {
    choose: async (dump, expectedBytes, signal) => {
      const { produce } = dump;
      const wish = source.settings.path;
      if (produce.from === 'text' || !produce.helper) return exec('this artifact has no other way');
      if (wish === 'exec') return exec('lifeboat.path is exec');
      const { path } = produce.helper;
      const isSmall = expectedBytes !== undefined && expectedBytes < pipeFromBytes;
      if (path === 'pipe' && wish === 'auto' && isSmall)
        return exec('small enough that a helper costs more than it saves');
      if (path === 'pipe' && shell.whyNoPipes() !== undefined) return exec(shell.whyNoPipes() ?? '');
      reached ??= whyNotReached(shell, produce.helper, survey, signal);
      const why = await reached;
      if (why !== undefined) return exec(why);
      return {
        taken: path,
        why: wish === 'pipe' ? 'lifeboat.path is pipe' : 'the bytes bypass the relay of the Engine',
      };
    },
  };
}

function exec(why: string): Way {
  return { taken: 'exec', why };
}

/** A helper must reach the very server that was surveyed; anything else falls back to the container's own tools. */
async function whyNotReached(
  shell: Shell,
  helper: NonNullable<Extract<Produce, { from: 'command' }>['helper']>,
  survey: Survey,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (!helper.identity) return undefined;
  const finished = await shell.run(helper.identity, undefined, signal).catch((error: Error) => {
    signal.throwIfAborted();
    return { exitCode: -1, stdout: '', stderr: error.message };
  });
  if (finished.exitCode !== 0) return `a helper cannot log in: ${finished.stderr.trim().split('\n')[0]?.slice(0, 200)}`;
  return finished.stdout.trim() === survey.identity ? undefined : 'a helper on the same network reaches another server';
}
