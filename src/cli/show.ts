import { exitCodes, LifeboatError } from '../domain/errors.ts';
import { localTime } from '../domain/local-time.ts';
import { shortId } from '../domain/naming.ts';
import type { Command } from './command.ts';
import { age, bytes, table } from './output.ts';
import { verifiedLine } from './verified-words.ts';

/** `lifeboat show ID`: everything known about one backup, and how to restore it with and without Lifeboat. */
export const show: Command = async ({ operations, output, signal, now }, [id]) => {
  if (!id) throw new LifeboatError('USAGE', 'show needs the id of a backup', { hint: 'lifeboat list' });
  const details = await operations.show(id, signal);
  if (output.json) {
    output.data(details);
    return exitCodes.ok;
  }
  const { manifest } = details;
  const facts = [
    ['source', `${manifest.service}/${manifest.source} of stack ${manifest.stack}`],
    ['made', `${localTime(manifest.startedAt)} (${age(manifest.startedAt, now())}), ${manifest.trigger}`],
    ['server', `${manifest.server.product} ${manifest.server.version}, identity ${manifest.server.identity}`],
    ['container', `${manifest.container.name} (${manifest.container.image})`],
    ['tool', `${manifest.tool.name} ${manifest.tool.version}, ${manifest.path.taken} path`],
    ['consistency', manifest.consistency],
  ];
  output.print(`Backup ${output.paint('bold', shortId(manifest.id))}  ${manifest.id}\n`);
  for (const [name = '', value = ''] of facts) output.print(`  ${name.padEnd(12)} ${value}`);
  output.print('\nContents');
  const rows = manifest.artifacts.map((artifact) => [
    `  ${artifact.name}`,
    artifact.kind,
    bytes(artifact.plainBytes),
    bytes(artifact.storedBytes),
    artifact.file,
  ]);
  for (const line of table(['  NAME', 'KIND', 'SIZE', 'STORED', 'FILE'], rows)) output.print(line);
  output.print('\nProved');
  for (const { seal, proof } of manifest.seals)
    output.print(`  ${output.paint('green', '✔')} ${seal.padEnd(10)} ${proof}`);
  for (const warning of manifest.warnings) output.print(`  ${output.paint('yellow', '!')} ${warning}`);
  for (const lack of manifest.lacks ?? []) output.print(`  ${output.paint('yellow', '!')} partial: ${lack}`);
  if (details.verified && details.verified.length > 0) {
    output.print('\nVerified');
    for (const copy of details.verified) {
      const mark = copy.result === 'ok' ? output.paint('green', '✔') : output.paint('red', '✖');
      output.print(`  ${mark} ${verifiedLine(copy)}`);
    }
  }
  output.print('\nWhere');
  for (const { destination, location, key } of details.locations) output.print(`  ${destination}  ${location}  ${key}`);
  output.print(`\nRestore\n  restore ${manifest.service}/${manifest.source} --at ${shortId(manifest.id)}`);
  output.print('\nRestore without Lifeboat, in the folder of the backup');
  for (const artifact of manifest.artifacts) output.print(`  ${artifact.byHand}`);
  return exitCodes.ok;
};
