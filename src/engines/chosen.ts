import { LifeboatError } from '../domain/errors.ts';
import type { Artifact, Manifest } from '../domain/manifest.ts';
import type { RestoreTarget } from './engine.ts';

/**
 * The databases that a restore is about, in the order of the backup. Throws BACKUP_NOT_FOUND when one is asked for that
 * the backup does not have, USAGE when several would go under the one name of `--as`.
 */
export function chosenDatabases(manifest: Manifest, { as, only }: RestoreTarget): readonly Artifact[] {
  const databases = manifest.artifacts.filter(({ kind }) => kind === 'database');
  const unknown = only?.filter((name) => !databases.some((database) => database.name === name)) ?? [];
  if (unknown.length > 0) {
    throw new LifeboatError('BACKUP_NOT_FOUND', `this backup has no database ${unknown.join(', ')}`, {
      hint: `it has: ${namesOf(databases)}`,
    });
  }
  const chosen = databases.filter(({ name }) => only?.includes(name) ?? true);
  if (as === undefined || chosen.length === 1) return chosen;
  throw new LifeboatError('USAGE', `--as needs exactly one database, this backup has ${namesOf(chosen)}`, {
    hint: 'choose one with --database',
  });
}

function namesOf(databases: readonly Artifact[]): string {
  return databases.map(({ name }) => name).join(', ');
}
