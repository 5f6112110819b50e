import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import { RdbFacts } from './facts.ts';
import { isShared, placeOf } from './place.ts';
import type { Layout } from './server.ts';
import { partsOf } from './switch.ts';

/**
 * The line a person types. A server reads its file only when it starts, and with an AOF not even then; so the line stops
 * the server, puts what is there aside, writes the file, makes it the first part of an AOF where there was one, and
 * starts the server. In braces, because it stands at the end of a pipe. `--volumes-from` finds the volume also when its
 * name has changed; the container it belongs to is there, so `--rm` removes no volume.
 */
export function byHand(container: Container, artifact: ArtifactFacts): string {
  const { layout } = RdbFacts.parse(artifact.facts);
  const name = shellQuote(container.name);
  const put = isShared(placeOf(container, layout.folder))
    ? [
        `docker run --rm -i --network none --volumes-from ${name} --user ${layout.owner} --entrypoint sh`,
        `${shellQuote(container.image)} -c ${shellQuote(onVolume(layout))}`,
      ].join(' ')
    : throughEngine(layout, name);
  return `{ docker stop ${name} && ${put} && docker start ${name}; }`;
}

/** Runs in a helper. Whether the server wants an AOF is seen by whether it has one: a fresh server makes it at once. */
function onVolume(layout: Layout): string {
  const { folder, file, umask } = layout;
  const rdb = shellQuote(file);
  const parts = partsOf(layout).map(shellQuote).join(' ');
  return [
    'set -e',
    `umask ${umask}`,
    `cd ${shellQuote(folder)}`,
    'mkdir .before-restore',
    'aof=no',
    `for f in ${parts}; do [ ! -e $f ] || { mv $f .before-restore; [ $f = ${rdb} ] || aof=yes; }; done`,
    `cat >${rdb}`,
    `[ $aof = no ] || { ${appendCommands(layout)}; }`,
  ].join('; ');
}

/** A container's own layer can only be reached through the Engine; there the server's setting decides. */
function throughEngine(layout: Layout, name: string): string {
  const { folder, file, appendonly, appendFile, appendFolder, owner, umask } = layout;
  const [uid = '0', gid = '0'] = owner.split(':');
  const made = appendonly ? [file, appendFolder === '' ? appendFile : appendFolder] : [file];
  const pack = `tar -c --owner=${uid} --group=${gid} ${made.map(shellQuote).join(' ')}`;
  const commands = [
    `umask ${umask}`,
    'd=$(mktemp -d)',
    'cd "$d"',
    `cat >${shellQuote(file)}`,
    ...(appendonly ? [`{ ${appendCommands(layout)}; }`] : []),
    `${pack} | docker cp - ${name}:${shellQuote(folder)}`,
  ];
  return commands.join(' && ');
}

/** An RDB is a valid first part of an AOF. The empty increment is there so that no old one is appended to. */
function appendCommands({ file, appendFile, appendFolder }: Layout): string {
  if (appendFolder === '') return `cp ${shellQuote(file)} ${shellQuote(appendFile)}`;
  const inside = (name: string) => shellQuote(`${appendFolder}/${appendFile}.${name}`);
  return [
    `mkdir ${shellQuote(appendFolder)}`,
    `cp ${shellQuote(file)} ${inside('1.base.rdb')}`,
    `true >${inside('1.incr.aof')}`,
    `echo ${shellQuote(`file ${appendFile}.1.base.rdb seq 1 type b`)} >${inside('manifest')}`,
    `echo ${shellQuote(`file ${appendFile}.1.incr.aof seq 1 type i`)} >>${inside('manifest')}`,
  ].join('; ');
}
