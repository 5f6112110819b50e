import type { Shell } from '../../domain/shell.ts';
import type { DataPath } from '../../domain/types.ts';
import type { Dump } from '../../engines/engine.ts';
import type { Source } from '../source.ts';

/** How the bytes of a dump come, and why this way. */
export interface Way {
  readonly taken: DataPath;
  readonly why: string;
  /** What carries them: the relay of the Engine, a named pipe round it, or nothing, where the engine made them itself. */
  readonly carrier: 'relay' | 'pipe' | 'none';
  /** Whether there are enough bytes that a helper at a pipe is worth its start, for their proof as well. */
  readonly isLarge: boolean;
}

/** Below this, creating a container costs more than it saves. */
const pipeFromBytes = 64 * 1024 ** 2;

export interface WayChooser {
  /** From which size on artifacts may come through a pipe; undefined when none can. */
  readonly pipeFromBytes: number | undefined;
  choose(dump: Dump, expectedBytes: number | undefined, signal: AbortSignal): Promise<Way>;
}

/** Picks the way of each dump of one source: by wish, by what the engine offers, by size, and by what works here. */
export function createWayChooser(source: Source, shell: Shell): WayChooser {
  let refusal: Promise<string | undefined> | undefined;
  const wish = source.settings.path;
  const hasPipes = wish !== 'exec' && shell.whyNoPipes() === undefined;
  return {
    pipeFromBytes: !hasPipes ? undefined : wish === 'pipe' ? 0 : pipeFromBytes,
    choose: async ({ produce }, expectedBytes, signal) => {
      if (produce.from === 'text') return made;
      const { helper } = produce;
      if (!helper) return exec('this artifact has no other way', false);
      const isSmall = expectedBytes !== undefined && expectedBytes < pipeFromBytes;
      if (wish === 'exec') return exec('lifeboat.path is exec', !isSmall);
      if (helper.path === 'pipe' && wish === 'auto' && isSmall)
        return exec('small enough that a helper costs more than it saves', false);
      const noPipes = shell.whyNoPipes();
      if (helper.path === 'pipe' && noPipes !== undefined) return exec(noPipes, !isSmall);
      refusal ??= helper.whyNot?.(signal) ?? Promise.resolve(undefined);
      const why = await refusal;
      if (why !== undefined) return exec(why, !isSmall);
      return helper.path === 'pipe' ? piped(wish) : file(noPipes);
    },
  };
}

const made: Way = { taken: 'exec', why: 'made of answers of the server', carrier: 'none', isLarge: false };

function exec(why: string, isLarge: boolean): Way {
  return { taken: 'exec', why, carrier: 'relay', isLarge };
}

function piped(wish: Source['settings']['path']): Way {
  const why = wish === 'pipe' ? 'lifeboat.path is pipe' : 'the bytes bypass the relay of the Engine';
  return { taken: 'pipe', why, carrier: 'pipe', isLarge: true };
}

function file(noPipes: string | undefined): Way {
  const why = 'a helper reads the file where it lies';
  if (noPipes === undefined) return { taken: 'file', why, carrier: 'pipe', isLarge: true };
  return {
    taken: 'file',
    why: `${why}; its bytes pass the relay of the Engine because ${noPipes}`,
    carrier: 'relay',
    isLarge: true,
  };
}
