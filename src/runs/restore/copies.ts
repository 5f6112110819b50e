import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Destination } from '../context.ts';

/** Why one copy of a backup is of no use. */
interface Refused {
  readonly copy: Destination;
  readonly error: unknown;
}

/**
 * What the proof gives of the first copy of a backup that is whole, those on disks of this host first; one that is not is told of. Rejects
 * ARTIFACT_CORRUPT when none is and any of them is damaged, else with why the first could not be read.
 */
export async function firstWhole<T>(
  backup: string,
  copies: readonly Destination[],
  prove: (copy: Destination) => Promise<T>,
  warn: (message: string) => void,
  signal: AbortSignal,
): Promise<T> {
  const refused: Refused[] = [];
  const ordered = copies.toSorted((a, b) => Number(b.isLocal) - Number(a.isLocal));
  for (const [i, copy] of ordered.entries()) {
    try {
      return await prove(copy);
    } catch (error) {
      if (signal.aborted) throw error;
      refused.push({ copy, error });
      const next = ordered[i + 1];
      if (next) warn(`${flaw({ copy, error })}; taking the one in ${next.name}`);
    }
  }
  throw noneWhole(backup, refused);
}

// --- utils ---

function noneWhole(backup: string, refused: readonly Refused[]): unknown {
  const damage = refused.find(({ error }) => isDamage(error));
  if (!damage)
    return (
      refused[0]?.error ??
      new LifeboatError('BACKUP_NOT_FOUND', `backup ${backup} is in no destination`, { hint: 'lifeboat list' })
    );
  const flaws = refused.map(flaw).join('; ');
  return new LifeboatError('ARTIFACT_CORRUPT', `no copy of backup ${backup} is whole: ${flaws}`, {
    hint: 'nothing was touched; lifeboat list shows the other backups, restore takes one with --at',
    cause: damage.error,
  });
}

function flaw({ copy: { name }, error }: Refused): string {
  const why = error instanceof Error ? error.message : String(error);
  return `the copy in ${name} ${isDamage(error) ? 'is damaged' : 'cannot be read'}: ${why}`;
}

/** An artifact that is gone is damage as well: its manifest is there. */
function isDamage(error: unknown): boolean {
  return isLifeboatError(error, 'ARTIFACT_CORRUPT', 'PROOF_FAILED', 'OBJECT_NOT_FOUND');
}
