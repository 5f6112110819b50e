import { z } from 'zod';
import { LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { numberIn } from './info.ts';
import type { Server } from './server.ts';

/** What the manifest keeps beside the RDB: how the server it came from kept it, and what reading it needs. */
export const RdbFacts = z.object({
  layout: z.object({
    folder: z.string(),
    file: z.string(),
    appendonly: z.boolean(),
    appendFile: z.string(),
    appendFolder: z.string(),
    databases: z.number(),
    modules: z.array(z.object({ name: z.string(), version: z.number(), path: z.string(), args: z.array(z.string()) })),
    program: z.string(),
    owner: z.string(),
    umask: z.string(),
  }),
  /** `save`: the server's own save; `transfer`: read as a replica reads it. */
  method: z.enum(['save', 'transfer']),
  /** Second, by the server's clock, before which a file of this backup cannot have been written. */
  savedAfter: z.number(),
  rdbVersion: z.number().optional(),
  /** Memory the server used: about what loading the file takes. */
  usedBytes: z.number().optional(),
});
export type RdbFacts = z.infer<typeof RdbFacts>;

export function factsOf(server: Server, method: RdbFacts['method'], savedAfter: number): RdbFacts {
  const { layout, rdbVersion, info } = server;
  const { modules, ...rest } = layout;
  return {
    layout: { ...rest, modules: modules.map((module) => ({ ...module, args: [...module.args] })) },
    method,
    savedAfter,
    rdbVersion,
    usedBytes: numberIn(info, 'used_memory'),
  };
}

/** The facts of the one RDB in a backup. Rejects BACKUP_NOT_FOUND when it is no backup of this engine. */
export function factsIn(manifest: Manifest) {
  const artifact = manifest.artifacts.find(({ kind }) => kind === 'rdb');
  const facts = RdbFacts.safeParse(artifact?.facts);
  if (artifact && facts.success) return { artifact, facts: facts.data };
  throw new LifeboatError('BACKUP_NOT_FOUND', 'this backup holds no RDB with the facts that a restore needs', {
    hint: 'take another backup: lifeboat list shows them',
  });
}
