import { LifeboatError } from '../../domain/errors.ts';
import { many } from '../../domain/many.ts';
import type { Shell } from '../../domain/shell.ts';
import type { DumpReport, FolderLook, LookAnswer } from '../../domain/tree-report.ts';
import type { Neighbour, Survey } from '../engine.ts';
import { atOf, readCommand } from './inside.ts';
import { savedBeside } from './neighbours.ts';
import type { FilesOptions } from './options.ts';
import { type Folder, select } from './selection.ts';

/** What dump and review need beyond the contract. */
export interface FilesNotes {
  readonly folders: readonly Folder[];
  /** By path, as each folder was dumped. */
  readonly reports: Map<string, DumpReport>;
}

export async function survey(
  shell: Shell,
  options: FilesOptions,
  others: readonly Neighbour[],
  signal: AbortSignal,
): Promise<Survey> {
  const { saved, warnings } = await savedBeside(shell, others, signal);
  const { folders, left } = select(shell.container, options, saved);
  const { tar, looks } = await look(shell, folders, signal);
  const found = folders.map((folder, i) => ({ folder, look: looks[i] as FolderLook }));
  const gone = found.find(({ look: { kind } }) => kind === 'missing');
  if (gone) {
    throw new LifeboatError('SOURCE_NOT_FOUND', `${gone.folder.path} does not exist`, {
      hint: 'name folders that exist with lifeboat.files',
    });
  }
  const real = found.filter(({ look: { kind } }) => kind === 'folder');
  const notes: FilesNotes = { folders: real.map(({ folder }) => folder), reports: new Map() };
  return {
    product: 'files',
    version: 'archive',
    identity: identityOf(shell, notes.folders),
    tool: { name: 'tar', version: tar },
    items: real.map(({ folder: { path }, look: { bytes } }) => ({ name: path, kind: 'archive', bytes })),
    left: [
      ...left,
      ...found.flatMap(({ folder, look: { kind } }) =>
        kind === 'other' ? [{ name: folder.path, why: 'mounted as a single file' }] : [],
      ),
      ...real.flatMap(({ folder, look: seen }) => leftIn(folder, seen)),
    ],
    warnings,
    consistency: 'live: each file as it was when it was read, one after the other',
    notes,
  };
}

/** What lies in these folders now. */
export async function look(
  shell: Shell,
  folders: readonly Pick<Folder, 'location' | 'rules'>[],
  signal: AbortSignal,
): Promise<LookAnswer> {
  if (folders.length === 0) return { tar: 'unknown', looks: [] };
  const request = folders.map(({ location, rules }, i) => ({ at: atOf(location, i), rules }));
  const locations = folders.map(({ location }) => location);
  return JSON.parse(await shell.text(readCommand('look', request, locations), signal)) as LookAnswer;
}

// --- utils ---

function leftIn({ path, rules: { leave } }: Folder, { mounts, sockets }: FolderLook): Survey['left'] {
  const databases = leave.filter((each) => !/-(?:wal|shm|journal)$/.test(each));
  return [
    ...databases.map((each) => ({ name: `${path}/${each}`, why: 'saved as a database' })),
    ...mounts.map((each) => ({ name: `${path}/${each}`, why: 'another file system is mounted there' })),
    ...(sockets > 0
      ? [{ name: `${many(sockets, 'socket')} in ${path}`, why: 'nothing without the process that listens' }]
      : []),
  ];
}

/** Volumes and folders outlive containers, so they tell the files of one app from those of another. */
function identityOf({ container }: Shell, folders: readonly Folder[]): string {
  const places = folders.map(({ location: { mount, inside }, path }) => {
    const place = mount.type === 'volume' ? mount.name : mount.source;
    return `${place ?? ''}${inside === '/' ? '' : inside}:${path}`;
  });
  return places.length > 0 ? places.sort().join(' ') : `container ${container.id}`;
}
