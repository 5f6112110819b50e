import { z } from 'zod';
import { LifeboatError } from '../domain/errors.ts';
import { verifyLevels } from '../domain/verify-level.ts';

/**
 * What may be asked over the socket. Names and ids are looked up among what there is, never made into paths; these
 * schemas keep out what could not be one.
 */
const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\p{Cc}]+$/u, 'control characters');
/** `service` or `service/source`, and both with their stack before it. */
const target = name.refine((text) => {
  const words = text.split('/');
  return words.length <= 3 && words.every((word) => !['', '.', '..'].includes(word));
}, 'not a service or service/source');
const id = z.string().regex(/^[0-9A-Za-z-]{1,40}$/, 'not an id');

export const BackupAsk = z.strictObject({ targets: z.array(target).max(1000) });
export const ListAsk = z.strictObject({ target: target.optional() });
export const IdAsk = z.strictObject({ id });
export const LogsAsk = z.strictObject({ run: id.optional() });
/** For what takes no wish. */
export const NoAsk = z.strictObject({});
export const RestoreAsk = z.strictObject({
  target,
  at: name.max(64),
  to: target.optional(),
  as: name.optional(),
  only: z.array(name).max(1000).optional(),
  skipSafety: z.boolean(),
  delayMs: z.int().nonnegative().optional(),
});

export const VerifyAsk = z.strictObject({
  target: target.optional(),
  at: name.max(64).optional(),
  level: z.enum(verifyLevels),
});

export const CopyAsk = z.strictObject({
  target: target.optional(),
  all: z.boolean().optional(),
  since: name.max(64).optional(),
  to: name,
});

/** The ask as it should be. Rejects USAGE with what is wrong with it. */
export function readAsk<T>(schema: z.ZodType<T>, given: unknown): T {
  const { success, data, error } = schema.safeParse(given);
  if (success) return data;
  const [issue] = error.issues;
  const where = issue?.path.join('.') || 'the request';
  throw new LifeboatError('USAGE', `${where} is not understood: ${issue?.message ?? 'no reason was given'}`, {
    hint: 'lifeboat --help',
  });
}
