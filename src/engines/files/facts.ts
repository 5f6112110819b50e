import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import type { TreeRules } from '../../domain/tree-rules.ts';

/** A folder as its artifact tells of it. */
export interface FolderFacts {
  /** Where it is in the container. */
  readonly path: string;
  /** What of it was left out: a restore leaves that alone. */
  readonly rules: TreeRules;
}

const Facts = z.object({
  path: z.string().startsWith('/'),
  rules: z.object({
    folder: z.string(),
    include: z.array(z.string()),
    exclude: z.array(z.string()),
    leave: z.array(z.string()),
  }),
});

export function factsOf({ name, facts }: Pick<Artifact, 'name' | 'facts'>): FolderFacts {
  const parsed = Facts.safeParse(facts);
  if (parsed.success) return parsed.data;
  throw new LifeboatError('ARTIFACT_CORRUPT', `the manifest does not say what ${name} is`, {
    hint: 'take another backup: lifeboat list shows them',
    cause: parsed.error,
  });
}

export const archiveKind = 'archive';
export const listKind = 'entries';

export function archivesOf({ artifacts }: Pick<Manifest, 'artifacts'>): readonly Artifact[] {
  return artifacts.filter(({ kind }) => kind === archiveKind);
}

/** How the list of an archive's entries is called. */
export function listName(archive: string): string {
  return `entries of ${archive}`;
}
