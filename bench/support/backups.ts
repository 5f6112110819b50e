import type { Contestant } from './rounds.ts';
import type { BenchStack } from './stack.ts';

/** `lifeboat backup db` with settings of its own; checked to have come the way that is meant, then forgotten. */
export function backupOf(
  stack: BenchStack,
  name: string,
  settings: Readonly<Record<string, string>>,
  taken: 'pipe' | 'exec' | 'file' = 'pipe',
): Contestant {
  return {
    name,
    run: () => stack.lifeboat(settings, 'backup', 'db'),
    after: async () => {
      const { path } = await stack.newest();
      if (path.taken !== taken) throw new Error(`meant the ${taken} path, took ${path.taken}: ${path.why}`);
      await stack.forget();
    },
  };
}
