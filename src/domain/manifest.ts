import { z } from 'zod';

/**
 * The manifest: the JSON document that makes a backup exist. It is written last, once, and never changed. Later
 * knowledge about a backup (verified, drilled, pinned) is kept in event objects beside it.
 */
export const manifestFormat = 1;

/** Counts of what an artifact holds, e.g. tables, indexes, rows; how they were obtained stands beside them. */
export const Counts = z.object({
  /** `exact`: counted in the same snapshot as the dump; `catalogue`: the server's own estimate; `dump`: read from the dump. */
  how: z.enum(['exact', 'catalogue', 'dump']),
  objects: z.record(z.string(), z.number()),
});
export type Counts = z.infer<typeof Counts>;

export const CodecUse = z.object({ name: z.string(), keyIds: z.array(z.string()).optional() });

export const Artifact = z.object({
  /** What it holds, e.g. a database's name. */
  name: z.string(),
  /** What kind of content: `database`, `globals`, `rdb`, `file`, … ; decided by the engine. */
  kind: z.string(),
  /** Object name inside the backup's folder. */
  file: z.string(),
  plainBytes: z.number().int().nonnegative(),
  plainSha256: z.string().optional(),
  storedBytes: z.number().int().positive(),
  storedSha256: z.string(),
  /** In the order they were applied when storing; reading applies them in reverse. */
  codecs: z.array(CodecUse),
  /** Facts the engine needs to restore it: owner, encoding, grants, … */
  facts: z.record(z.string(), z.unknown()),
  counts: z.array(Counts),
  /** The line a person types to restore this artifact without Lifeboat, run in the backup's folder. */
  byHand: z.string(),
});
export type Artifact = z.infer<typeof Artifact>;

/** The seven conditions under which a backup counts (docs/explanation/seals.md). */
const sealNames = ['stream', 'exit', 'identity', 'structure', 'logic', 'stored', 'manifest'] as const;
export const Seal = z.object({ seal: z.enum(sealNames), proof: z.string() });
export type Seal = z.infer<typeof Seal>;

export const Manifest = z.object({
  format: z.literal(manifestFormat),
  id: z.string(),
  /** All backups of one run share it. */
  set: z.string(),
  stack: z.string(),
  service: z.string(),
  source: z.string(),
  engine: z.string(),
  lifeboat: z.string(),
  trigger: z.enum(['manual', 'schedule', 'safety', 'start']),
  startedAt: z.iso.datetime(),
  finishedAt: z.iso.datetime(),
  server: z.object({
    product: z.string(),
    version: z.string(),
    /** What tells this server from any other: system identifier, server UUID, … */
    identity: z.string(),
  }),
  container: z.object({
    id: z.string(),
    name: z.string(),
    number: z.number().int(),
    image: z.string(),
    imageId: z.string(),
  }),
  tool: z.object({ name: z.string(), version: z.string() }),
  path: z.object({ taken: z.enum(['pipe', 'file', 'exec']), why: z.string() }),
  /** What a restore gets: e.g. `each database at its own snapshot`. */
  consistency: z.string(),
  options: z.record(z.string(), z.unknown()),
  artifacts: z.array(Artifact).min(1),
  seals: z.array(Seal),
  /** What a person should know about this backup although it is complete. */
  warnings: z.array(z.string()),
  /** What is not in it as it should be, one line each; absent when nothing is. */
  lacks: z.array(z.string()).optional(),
  /** SHA-256 of the manifest before this one of the same source in the same destination. */
  previous: z.string().optional(),
});
export type Manifest = z.infer<typeof Manifest>;
