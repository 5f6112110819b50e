import { z } from 'zod';
import type { ErrorCode } from './errors.ts';
import type { SourceName } from './types.ts';
import { verifyLevels } from './verify-level.ts';

/** What is wrong with one object of a copy. */
export const Finding = z.object({
  /** Name of the object in the backup's folder. */
  file: z.string(),
  message: z.string(),
});
export type Finding = z.infer<typeof Finding>;

/** What a verification found out about the copy of a backup in one destination; kept there beside the manifest. */
export const Verification = z.object({
  format: z.literal(1),
  type: z.literal('verified'),
  at: z.iso.datetime(),
  run: z.string(),
  /** The version that looked. */
  lifeboat: z.string(),
  /** How deep it was looked; `structure` only when all of it was proved. */
  level: z.enum(verifyLevels),
  result: z.enum(['ok', 'damaged']),
  findings: z.array(Finding),
  /** Why the structure was not proved although it was asked for. */
  notRun: z.string().optional(),
});
export type Verification = z.infer<typeof Verification>;

/** The last verification of the copy in one destination. */
export interface CopyVerification extends Pick<Verification, 'at' | 'level' | 'result' | 'findings'> {
  readonly destination: string;
}

/** What one verify run found out about one backup. */
export interface VerifiedBackup {
  readonly id: string;
  readonly stack: string;
  readonly source: SourceName;
  readonly startedAt: string;
  readonly copies: readonly VerifiedCopy[];
  readonly structure: StructureCheck;
}

export interface VerifiedCopy {
  readonly destination: string;
  /** `unread`: the destination could not be read, which says nothing about the copy. */
  readonly result: 'ok' | 'damaged' | 'unread';
  readonly findings: readonly Finding[];
}

/** Equal checksums mean equal bytes: one sound copy is proved, and that holds for all of them. */
export type StructureCheck =
  | { readonly state: 'proved'; readonly methods: readonly string[] }
  | { readonly state: 'failed' }
  | { readonly state: 'not-run'; readonly code: ErrorCode; readonly why: string }
  | { readonly state: 'not-asked' };
