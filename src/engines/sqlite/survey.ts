import type { Shell } from '../../domain/shell.ts';
import type { Survey } from '../engine.ts';
import type { DatabaseFile } from './file.ts';
import type { SqliteOptions } from './options.ts';
import { select } from './selection.ts';
import { findTool } from './tools.ts';
import { chooseWay, type Way } from './way.ts';

/** One database and how it is copied. */
export interface Target {
  readonly file: DatabaseFile;
  readonly way: Way;
  /** For who wants no helper. */
  readonly within: Way;
}

/** What `dump` needs of the survey beyond the contract. */
export interface SqliteNotes {
  readonly targets: readonly Target[];
  readonly hasHelper: boolean;
}

/**
 * Looks for databases. None at all is no failure as long as nobody named one: the survey then has no item, and says in
 * `left` where it looked.
 */
export async function survey(shell: Shell, options: SqliteOptions, signal: AbortSignal): Promise<Survey> {
  const { files, left, warnings, view } = await select(shell, options, signal);
  const { hasHelper } = view;
  const tool = files.length > 0 ? await findTool(shell, signal) : undefined;
  const within: Way = tool ? { how: 'tool', tool } : { how: 'pause' };
  const targets = files.map((file): Target => {
    const way = chooseWay(shell, file, options.method, hasHelper, tool);
    return { file, way, within: way.how === 'helper' ? within : way };
  });
  const ways = new Set(targets.map(({ way }) => way.how));
  const paused = ways.has('pause');
  const notes: SqliteNotes = { targets, hasHelper };
  return {
    product: 'SQLite',
    version: newest(files.map(({ header }) => header?.version)) ?? 'unknown',
    identity: identity(shell),
    tool:
      ways.has('tool') && tool
        ? { name: tool.name, version: tool.version }
        : { name: 'sqlite3', version: view.tool ?? 'unknown' },
    items: files.map(({ path, bytes, walBytes }) => ({ name: path, kind: 'database', bytes: bytes + walBytes })),
    left,
    warnings: paused && !hasHelper ? [...warnings, noHelper] : warnings,
    consistency: paused
      ? 'each file at one moment of its own; the container was paused while files were copied'
      : 'each file at one moment of its own: one read transaction',
    notes,
  };
}

const noHelper =
  'helpers of the image of Lifeboat may not be made here, so the container is paused while files are copied';

/** Where its data lies: volumes and folders outlive containers, so they tell one app's databases from another's. */
function identity({ container }: Shell): string {
  const places = container.mounts
    .filter(({ type }) => type === 'volume' || type === 'bind')
    .map(({ name, source, target }) => `${name || source || ''}:${target}`);
  return places.length > 0 ? places.sort().join(' ') : `container ${container.id}`;
}

function newest(versions: readonly (string | undefined)[]): string | undefined {
  const rank = (version: string) => version.split('.').reduce((sum, part) => sum * 1000 + Number(part), 0);
  return versions.filter((version) => version !== undefined).sort((a, b) => rank(b) - rank(a))[0];
}
