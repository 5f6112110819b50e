import { LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { newId, shortId, sourcePrefix } from '../../domain/naming.ts';
import { createNamer } from '../../domain/source-names.ts';
import type { RunContext } from '../context.ts';
import { byId, byTime, findBackup, isIdLike } from '../lookup.ts';
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
  const { sources } = await context.candidates(signal);
  const chosen = matchTargets(sources, [ask.target]);
  const [source] = chosen;
  if (!source || chosen.length > 1) {
    throw new LifeboatError('USAGE', `${ask.target} means several sources`, {
      hint: `use one of: ${chosen.map(createNamer(chosen.map(({ stack }) => stack))).join(', ')}`,
    });
  }
  const { entry, problems } = await findBackup(
    context,
    (backups) => (isIdLike(ask.at) ? byId(backups, ask.at) : byTime(backups, source, ask.at)),
    signal,
  );
  // A newer backup may lie where nobody could look, or have a manifest that cannot be read.
  const unread = problems.flatMap(({ destination, key, message }) => {
    if (key === '') return [`backups in ${destination} are left out: ${message}`];
    return key.startsWith(`${sourcePrefix(source)}/`) ? [`a backup in ${destination} is left out: ${message}`] : [];
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
      name: createNamer(sources.map(({ stack }) => stack))(source),
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

/** Only its id, which somebody typed, can name a backup of another source: it is theirs to know, and ours to say. */
function otherOrigin(manifest: Manifest, { stack, service, source, name }: Source): readonly string[] {
  if (manifest.stack === stack && manifest.service === service && manifest.source === source) return [];
  const origin = `${manifest.service}/${manifest.source} in stack ${manifest.stack}`;
  return [`backup ${shortId(manifest.id)} is of ${origin}, and goes into ${name} in stack ${stack}`];
}
