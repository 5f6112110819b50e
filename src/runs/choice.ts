import { LifeboatError } from '../domain/errors.ts';
import { sourcePrefix } from '../domain/naming.ts';
import { meant } from '../domain/source-names.ts';
import { sourceName } from '../domain/types.ts';
import { byId, byTime, isIdLike, nothingOf } from './lookup.ts';
import type { BackupEntry } from './operations.ts';

/**
 * The backups that `given` means: the one with this id, or of each source that it names (`service`, `service/source`)
 * the newest that `at` asks for. Without it, of every source. Rejects BACKUP_NOT_FOUND with what there is.
 */
export function chooseBackups(
  backups: readonly BackupEntry[],
  given: string | undefined,
  at: string | undefined,
): readonly BackupEntry[] {
  const own = given === undefined ? backups : meant(backups, ({ manifest }) => manifest, given);
  // A service may be called like an id.
  if (own.length === 0 && given !== undefined && isIdLike(given)) {
    if (at === undefined) return [byId(backups, given)];
    throw new LifeboatError('USAGE', `${given} is one backup already, --at has nothing to choose`, {
      hint: 'name the service with --at, or the id without',
    });
  }
  if (own.length === 0) throw nothingOf(backups, given);
  if (at !== undefined && isIdLike(at)) return [byId(own, at)];
  const sources = [...Map.groupBy(own, ({ manifest }) => sourcePrefix(manifest)).values()];
  const found = sources.flatMap(([first]) => {
    if (!first) return [];
    const { stack, service, source } = first.manifest;
    const name = sourceName(first.manifest);
    const hasAny = own.some(({ manifest }) => manifest.trigger !== 'safety' && sourceName(manifest) === name);
    // Nobody asks for a source of which there are only safety backups by asking for everything.
    if (given === undefined && at === undefined && !hasAny) return [];
    return [byTime(own, { stack, service, source, name }, at ?? 'latest')];
  });
  if (found.length > 0) return found;
  throw nothingOf(backups, given);
}
