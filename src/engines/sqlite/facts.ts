import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import type { ArtifactFacts } from '../engine.ts';

const Owner = z.object({ uid: z.number().int(), gid: z.number().int(), mode: z.number().int() });

/** What a restore needs to put a database where it was and make it the app's again. */
export const FileFacts = z.object({
  /** In the container. */
  path: z.string().startsWith('/'),
  owner: Owner,
  /** Of the folder it lies in, to make that again when it is gone; unknown when nothing could be run in the container. */
  folder: Owner.optional(),
  isWal: z.boolean(),
  /** Size when it was surveyed, with its log: what a copy needs at least. */
  bytes: z.number().int(),
});
export type FileFacts = z.infer<typeof FileFacts>;

export function factsOf(artifact: Pick<ArtifactFacts, 'name' | 'facts'>): FileFacts {
  const parsed = FileFacts.safeParse(artifact.facts);
  if (parsed.success) return parsed.data;
  throw new LifeboatError('ARTIFACT_CORRUPT', `the manifest does not say what ${artifact.name} is`, {
    hint: 'take another backup: lifeboat list shows them',
    cause: parsed.error,
  });
}
