import type { Manifest } from '../../domain/manifest.ts';
import { shellQuote, shortId } from '../../domain/naming.ts';
import type { RunContext } from '../context.ts';
import type { RestoreRequest } from './request.ts';

type Holding = Pick<Manifest, 'id' | 'artifacts'>;

/**
 * The line that brings back what was there before a restore, from the safety backup. That backup may hold more than was
 * replaced: what the restore left alone is not named, or it would lose what was written to it since.
 */
export function undoLine(
  name: string,
  restored: Pick<Manifest, 'artifacts'>,
  only: readonly string[] | undefined,
  safety: Holding,
): string | undefined {
  const isReplaced = (database: string) =>
    (only?.includes(database) ?? true) && databasesOf(restored).includes(database);
  const all = databasesOf(safety);
  const replaced = all.filter(isReplaced);
  const line = `restore ${name} --at ${shortId(safety.id)}`;
  if (replaced.length === all.length) return line;
  // What the restore made anew is not in it.
  if (replaced.length === 0) return undefined;
  return [line, ...replaced.map((database) => `--database=${shellQuote(database)}`)].join(' ');
}

/** The same, for the safety backup with this id; when it cannot be read now, the line names no databases. */
export async function undoOf(
  context: Pick<RunContext, 'destinations'>,
  { name, manifest, only }: RestoreRequest,
  safety: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  for (const { catalog } of (await context.destinations()).toSorted((a, b) => Number(b.isLocal) - Number(a.isLocal))) {
    const found = await catalog.find(safety, signal).catch(() => undefined);
    if (found) return undoLine(name, manifest, only, found);
  }
  return `restore ${name} --at ${shortId(safety)}`;
}

// --- utils ---

function databasesOf({ artifacts }: Pick<Manifest, 'artifacts'>): string[] {
  return artifacts.filter(({ kind }) => kind === 'database').map(({ name }) => name);
}
