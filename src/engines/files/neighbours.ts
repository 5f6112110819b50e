import { asLifeboatError } from '../../domain/errors.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Neighbour } from '../engine.ts';
import type { Saved } from './selection.ts';

/**
 * What other sources of the container save: the data folders of servers, and the database files that an engine finds by
 * looking. When it cannot look, its files are copied as plain ones as well: rather twice than not at all.
 */
export async function savedBeside(
  shell: Shell,
  others: readonly Neighbour[],
  signal: AbortSignal,
): Promise<{ readonly saved: readonly Saved[]; readonly warnings: readonly string[] }> {
  const saved: Saved[] = [];
  const warnings: string[] = [];
  for (const { name, engine, options } of others) {
    const folders = engine.dataPaths(shell.container);
    saved.push(...folders.map((path) => ({ path, isFolder: true, by: name })));
    if (folders.length > 0) continue;
    try {
      const { items } = await engine.survey(shell, options, signal);
      const files = items.filter((item) => item.name.startsWith('/'));
      saved.push(...files.map(({ name: path }) => ({ path, isFolder: false, by: name })));
    } catch (error) {
      signal.throwIfAborted();
      warnings.push(`what ${name} saves is copied as plain files as well: ${asLifeboatError(error).message}`);
    }
  }
  return { saved, warnings };
}
