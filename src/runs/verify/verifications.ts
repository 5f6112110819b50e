import { mapBounded } from '../../catalog/bounded.ts';
import { asLifeboatError } from '../../domain/errors.ts';
import { backupPrefix } from '../../domain/naming.ts';
import type { CopyVerification } from '../../domain/verification.ts';
import type { RunContext } from '../context.ts';
import type { BackupEntry, BackupListing } from '../operations.ts';

const parallelReads = 8;

/** The same backups with the last verification of each copy; what cannot be read of those is a problem beside them. */
export async function withVerifications(
  context: Pick<RunContext, 'destinations'>,
  { backups, problems }: BackupListing,
  signal: AbortSignal,
): Promise<BackupListing> {
  const destinations = await context.destinations();
  const found = await mapBounded(
    backups.flatMap((entry) => entry.destinations.map((name) => ({ entry, name }))),
    parallelReads,
    async ({ entry, name }) => {
      const catalog = destinations.find((each) => each.name === name)?.catalog;
      try {
        return { entry, name, verification: await catalog?.verification(entry.manifest, signal) };
      } catch (error) {
        signal.throwIfAborted();
        return { entry, name, error: asLifeboatError(error) };
      }
    },
  );
  const of = Map.groupBy(found, ({ entry }) => entry);
  const verified = (entry: BackupEntry): CopyVerification[] =>
    (of.get(entry) ?? []).flatMap(({ name, verification }) => {
      if (!verification) return [];
      const { at, level, result, findings } = verification;
      return [{ destination: name, at, level, result, findings }];
    });
  const unread = found.flatMap(({ entry, name, error }) =>
    error
      ? [
          {
            destination: name,
            key: `${backupPrefix(entry.manifest, entry.manifest.id)}/events/`,
            message: error.message,
          },
        ]
      : [],
  );
  return {
    backups: backups.map((entry) => ({ ...entry, verified: verified(entry) })),
    problems: [...problems, ...unread],
  };
}
