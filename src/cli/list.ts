import { exitCodes } from '../domain/errors.ts';
import { localTime } from '../domain/local-time.ts';
import { many } from '../domain/many.ts';
import { shortId } from '../domain/naming.ts';
import { createNamer } from '../domain/source-names.ts';
import { sourceName } from '../domain/types.ts';
import type { BackupEntry } from '../runs/operations.ts';
import type { Command } from './command.ts';
import { age, bytes, table } from './output.ts';
import { verifiedWords } from './verified-words.ts';

/** More lines than anybody reads; the newest would be far above them. */
const mostShown = 50;

/** `lifeboat list [target]`: backups, newest first. */
export const list: Command<{ all?: boolean }> = async (context, [target], { all }) => {
  const { operations, output, signal, now } = context;
  const { backups, problems } = await operations.list({ target }, signal);
  if (output.json) output.data({ backups: backups.map(brief), problems });
  else if (backups.length === 0) output.say(`No backups yet. Make one: lifeboat backup${target ? ` ${target}` : ''}`);
  else {
    const shown = all ? backups : backups.slice(0, mostShown);
    const nameOf = createNamer(shown.map(({ manifest }) => manifest.stack));
    const rows = shown.map(({ manifest, destinations, verified }) => [
      shortId(manifest.id),
      nameOf({ stack: manifest.stack, name: sourceName(manifest) }),
      localTime(manifest.startedAt),
      age(manifest.startedAt, now()),
      bytes(stored(manifest.artifacts)),
      destinations.join(', '),
      verifiedWords(destinations, verified, (at) => age(at, now())),
      manifest.trigger,
    ]);
    for (const line of table(['ID', 'SOURCE', 'TIME', 'AGE', 'SIZE', 'WHERE', 'VERIFIED', 'WHY'], rows))
      output.print(line);
    const older = backups.length - shown.length;
    const narrower = target ? '' : ', or of one service: lifeboat list SERVICE';
    if (older > 0)
      output.say(
        `${many(older, 'older backup')} not shown: lifeboat list${target ? ` ${target}` : ''} --all${narrower}`,
      );
  }
  for (const { destination, key, message } of problems)
    output.say(`${output.paint('yellow', '!')} ${destination}: ${key ? `${key}: ` : ''}${message}`);
  return problems.length > 0 ? exitCodes.partial : exitCodes.ok;
};

function brief({ manifest, destinations, verified }: BackupEntry) {
  const { id, set, stack, service, source, engine, trigger, startedAt, finishedAt, artifacts } = manifest;
  const plainBytes = artifacts.reduce((total, artifact) => total + artifact.plainBytes, 0);
  return {
    id,
    short: shortId(id),
    set,
    stack,
    service,
    source,
    engine,
    trigger,
    startedAt,
    finishedAt,
    plainBytes,
    storedBytes: stored(artifacts),
    destinations,
    verified: verified ?? [],
  };
}

function stored(artifacts: readonly { storedBytes: number }[]): number {
  return artifacts.reduce((total, { storedBytes }) => total + storedBytes, 0);
}
