import { basename } from 'node:path/posix';
import { LifeboatError } from '../../domain/errors.ts';
import type { Mount } from '../../domain/types.ts';
import { beside } from './place.ts';
import { backScript, exitMeanings, makeFolderScript, switchScript } from './scripts.ts';
import { loadingMemory } from './stage.ts';
import { foldersOf, keptLine, partsOf, type RestoreContext, type Switch } from './switch.ts';

/** On a volume or bind mount all is done by helpers that have the same mount: staging beside the data, then renames. */
export function onMount(context: RestoreContext, mount: Mount): Switch {
  const { shell, layout, facts, client, suffix } = context;
  const { staged, kept } = foldersOf(layout.folder, suffix);
  const user = layout.owner;
  const parts = partsOf(layout);

  /** No signal: what moves data must not be stopped halfway. */
  async function run(script: string, args: readonly string[], failed: string): Promise<void> {
    const argv = ['sh', '-c', script, 'sh', ...args] as const;
    const { exitCode, stderr } = await shell.run({ argv, user, place: beside(mount, user) });
    if (exitCode === 0) return;
    const why = exitMeanings[exitCode] ?? `exit code ${exitCode}`;
    throw new LifeboatError('RESTORE_FAILED', `${failed}: ${why} ${stderr.trim()}`.trim(), {
      hint: `is ${layout.folder} full or read-only? Mend it and restore again`,
    });
  }

  return {
    kept: keptLine(context, kept),
    prepare: async (signal) => {
      const runs = shell.container.state === 'running';
      // Made by the container, found by the helper: so both see the same folder.
      const argv = ['sh', '-c', makeFolderScript, 'sh', layout.folder, basename(staged)] as const;
      if (runs) await shell.text({ argv, user }, signal);
      return {
        place: beside(mount, user, loadingMemory(facts)),
        folder: staged,
        isNew: !runs,
        wantsAof: layout.appendonly,
        client,
        layout,
      };
    },
    over: () =>
      run(
        switchScript,
        [layout.folder, basename(staged), basename(kept), ...parts],
        'the staged data could not be moved into place',
      ),
    back: () =>
      run(backScript, [layout.folder, basename(kept), ...parts], 'the data from before could not be moved back'),
    discard: () => run('rm -rf -- "$1"', [staged], `${staged} could not be removed`),
  };
}
