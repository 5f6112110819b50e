import prettyBytes from 'pretty-bytes';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import type { Shell } from '../../domain/shell.ts';
import type { FolderLook } from '../../domain/tree-report.ts';
import type { Container } from '../../domain/types.ts';
import type { RestorePreview, RestoreTarget } from '../engine.ts';
import { locate } from '../location.ts';
import { archivesOf, type FolderFacts, factsOf } from './facts.ts';
import type { MountLocation } from './inside.ts';
import type { FilesOptions } from './options.ts';
import { look } from './survey.ts';

export async function preview(
  shell: Shell,
  manifest: Manifest,
  { as, only }: RestoreTarget,
  signal: AbortSignal,
): Promise<RestorePreview> {
  if (as !== undefined || only !== undefined) {
    throw new LifeboatError('USAGE', 'a backup of files is restored as a whole, in its place', {
      hint: 'leave --as and --database away; lifeboat export gives the archive to look into',
    });
  }
  const { container } = shell;
  const archives = archivesOf(manifest).map((artifact) => ({ artifact, facts: factsOf(artifact) }));
  const placed = archives.map((each) => ({ ...each, location: locationOf(container, each.facts) }));
  const reachable = placed.flatMap(({ facts: { rules }, location }) => (location ? [{ location, rules }] : []));
  const { looks } = await look(shell, reachable, signal);
  const lookOf = (location: MountLocation | undefined) =>
    looks[reachable.findIndex((each) => each.location === location)];
  const paths = archives.map(({ facts }) => facts.path);
  const present = placed.filter(({ location }) => lookOf(location)?.kind === 'folder').map(({ facts }) => facts.path);
  return {
    lines: [
      ...placed.map(({ artifact, facts }) => lineOf(artifact, facts)),
      `stop ${container.service} while the files are switched, and start it again`,
    ],
    refusals: placed.flatMap(({ artifact, facts, location }) =>
      refusalsOf(container, artifact, facts, lookOf(location)),
    ),
    warnings: [],
    replaces: paths,
    saving: present.length > 0 ? ({ paths: present } satisfies FilesOptions) : undefined,
  };
}

/** Where the folder of a backup lies today; undefined when no helper can reach it. */
export function locationOf(container: Container, { path }: FolderFacts): MountLocation | undefined {
  const location = locate(container, `${path === '/' ? '' : path}/x`);
  if (location.kind !== 'mount') return undefined;
  return { ...location, inside: location.inside.slice(0, -2) || '/' };
}

// --- utils ---

function lineOf({ counts }: Artifact, { path, rules }: FolderFacts): string {
  const { files = 0 } = counts[0]?.objects ?? {};
  const hasOthers = rules.include.length + rules.exclude.length + rules.leave.length > 0;
  const others = hasOthers ? '; what the backup left out stays as it is' : '';
  return `replace all that is in ${path} by ${many(files, 'file')} of the backup${others}`;
}

function refusalsOf(
  { service }: Container,
  { plainBytes }: Artifact,
  { path }: FolderFacts,
  seen: FolderLook | undefined,
): string[] {
  if (!seen) return [`${path} is in no volume or bind mount of ${service} now`];
  if (seen.kind === 'other') return [`${path} is mounted as a single file`];
  const refusals: string[] = [];
  if (seen.mounts.length > 0)
    refusals.push(`another file system is mounted in ${path} at ${seen.mounts.join(', ')}: unmount it first`);
  if (seen.kind === 'folder' && seen.freeBytes < plainBytes)
    refusals.push(
      `there is no room in ${path}: ${prettyBytes(plainBytes)} are staged beside the present files, ${prettyBytes(seen.freeBytes)} are free`,
    );
  return refusals;
}
