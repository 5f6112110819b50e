import type { Command, Shell } from '../../domain/shell.ts';
import type { Dump, DumpPolicy, Survey } from '../engine.ts';
import { helperCopy, toolCopy } from './copy.ts';
import { countsOfCopy, createListener } from './counting.ts';
import type { FileFacts } from './facts.ts';
import type { DatabaseFile } from './file.ts';
import { pausedCopy } from './paused-copy.ts';
import type { SqliteNotes } from './survey.ts';
import type { Way } from './way.ts';

/** `auto` counts rows in databases up to this size. */
const exactBytes = 2 * 1024 ** 3;

/** One artifact per database file, each at one moment of its own. */
export async function* dump(shell: Shell, survey: Survey, policy: DumpPolicy): AsyncGenerator<Dump> {
  const { targets, hasHelper } = survey.notes as SqliteNotes;
  for (const { file, way, within } of targets) {
    const listener = createListener();
    const rows = policy.counts === 'exact' || (policy.counts === 'auto' && file.bytes <= exactBytes);
    const counts = listener.done.then(countsOfCopy);
    counts.catch(() => {}); // Whoever does not ask has seen the command fail.
    const copy = (by: Way): Command => ({
      ...copyCommand(shell, file, by, rows, hasHelper),
      onStderrLine: listener.hear,
    });
    yield {
      name: file.path,
      kind: 'database',
      extension: 'sqlite',
      facts: { ...factsOf(file) },
      counts,
      produce: {
        from: 'command',
        exec: copy(within),
        ...(way.how === 'helper' ? { helper: { path: 'file', command: copy(way) } } : {}),
      },
    };
    listener.end();
  }
}

function copyCommand(shell: Shell, file: DatabaseFile, way: Way, rows: boolean, hasHelper: boolean) {
  if (way.how === 'helper') return helperCopy(file, rows);
  if (way.how === 'tool') return toolCopy(file, way.tool.name, rows);
  return pausedCopy(shell, file, rows, hasHelper);
}

function factsOf({ path, owner, folder, header, bytes, walBytes }: DatabaseFile): FileFacts {
  return {
    path,
    owner,
    ...(folder ? { folder } : {}),
    isWal: header?.isWal ?? false,
    bytes: bytes + walBytes,
  };
}
