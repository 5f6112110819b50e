import { LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { newId, shortId, sourcePrefix } from '../../domain/naming.ts';
import { createNamer, meant } from '../../domain/source-names.ts';
import { type SourceAddress, sourceName } from '../../domain/types.ts';
import type { RunContext } from '../context.ts';
import { byId, byTime, findBackup, isIdLike, nothingOf } from '../lookup.ts';
import type { BackupEntry, RestoreAsk } from '../operations.ts';
import type { Source } from '../source.ts';
import { matchTargets } from '../target.ts';
import type { RestoreRequest } from './request.ts';

/** The source and the backup that somebody means, and what there is to doubt about it. */
export async function resolveRestore(
  context: RunContext,
  ask: RestoreAsk,
  signal: AbortSignal,
): Promise<{ request: RestoreRequest; entry: BackupEntry; doubts: readonly string[] }> {
  const goal = ask.to ?? ask.target;
  const { sources } = await context.candidates(signal);
  const nameOf = createNamer(sources.map(({ stack }) => stack));
  let chosen = matchTargets(sources, [goal]);
  const { entry, problems } = await findBackup(
    context,
    (backups) => {
      chosen = likely(chosen, backups);
      if (isIdLike(ask.at)) return byId(backups, ask.at);
      const from = ask.to === undefined ? onlyOne(chosen, goal, nameOf) : originOf(backups, ask.target);
      return byTime(backups, from, ask.at);
    },
    signal,
  );
  // Where a name means several, an id that somebody typed says which.
  const own = chosen.filter((source) => isOf(entry.manifest, source));
  const source = onlyOne(own.length > 0 ? own : chosen, goal, nameOf);
  // A newer backup may lie where nobody could look, or have a manifest that cannot be read.
  const unread = problems.flatMap(({ destination, key, message }) => {
    if (key === '') return [`backups in ${destination} are left out: ${message}`];
    const isAlike = key.startsWith(`${sourcePrefix(entry.manifest)}/`);
    return isAlike ? [`a backup in ${destination} is left out: ${message}`] : [];
  });
  if (entry.manifest.engine !== source.engine.name) {
    throw new LifeboatError(
      'RESTORE_REFUSED',
      `backup ${ask.at} is of ${entry.manifest.engine}, ${source.name} is ${source.engine.name}`,
      { hint: `lifeboat list ${source.name} shows those that can go there` },
    );
  }
  const copies = (await context.destinations()).filter(({ name }) => entry.destinations.includes(name));
  return {
    request: {
      source,
      name: nameOf(source),
      manifest: entry.manifest,
      copies,
      as: ask.as,
      only: ask.only,
      skipSafety: ask.skipSafety,
      run: ask.run ?? newId(context.now()),
    },
    entry,
    doubts: [...unread, ...otherOrigin(entry.manifest, source)],
  };
}

// --- utils ---

type Named = SourceAddress & Pick<Source, 'name'>;

/** Without what was only guessed and was never saved: nobody who names the service means that. */
function likely(chosen: readonly Source[], backups: readonly BackupEntry[]): readonly Source[] {
  const known = chosen.filter((source) => !source.isGuess || backups.some(({ manifest }) => isOf(manifest, source)));
  return known.length > 0 ? known : chosen;
}

/** Rejects USAGE with the names to choose from where there are several. */
function onlyOne<T extends Named>(found: readonly T[], target: string, nameOf: (source: Named) => string): T {
  const [source] = found;
  if (source && found.length === 1) return source;
  const names = found.map(nameOf).sort();
  throw new LifeboatError('USAGE', `${target} means several sources`, { hint: `use one of: ${names.join(', ')}` });
}

/** The source of whose backups a person speaks; its service need not exist any more. */
function originOf(backups: readonly BackupEntry[], target: string): Named {
  const found = new Map<string, Named>();
  for (const { manifest } of meant(backups, (backup) => backup.manifest, target))
    found.set(sourcePrefix(manifest), { ...manifest, name: sourceName(manifest) });
  if (found.size === 0) throw nothingOf(backups, target);
  return onlyOne([...found.values()], target, createNamer(backups.map(({ manifest }) => manifest.stack)));
}

function isOf(manifest: Manifest, { stack, service, source }: SourceAddress): boolean {
  return manifest.stack === stack && manifest.service === service && manifest.source === source;
}

/** Only somebody who typed an id or `--to` can mean a backup of another source: it is theirs to know, and ours to say. */
function otherOrigin(manifest: Manifest, source: Source): readonly string[] {
  if (isOf(manifest, source)) return [];
  const origin = `${sourceName(manifest)} in stack ${manifest.stack}`;
  return [`backup ${shortId(manifest.id)} is of ${origin}, and goes into ${source.name} in stack ${source.stack}`];
}
