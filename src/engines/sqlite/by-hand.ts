import { posix } from 'node:path';
import { shellQuote } from '../../domain/naming.ts';
import type { Container, Mount } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import { locate } from '../location.ts';
import { type FileFacts, factsOf } from './facts.ts';

/** Any image with a shell will do; this one is small, and Lifeboat's own is made from it. */
const image = 'debian:trixie-slim';

/** Stops the service, puts the database in place with its owner and without the old log, and starts the service. */
export function byHand(container: Container, artifact: ArtifactFacts): string {
  const facts = factsOf(artifact);
  const location = locate(container, facts.path);
  const name = shellQuote(container.name);
  const replace =
    location.kind === 'mount' ? intoMount(location.mount, location.inside, facts) : intoLayer(container, facts);
  return `{ docker stop ${name} && ${replace} && docker start ${name}; }`;
}

function intoMount(mount: Mount, inside: string, { owner }: FileFacts): string {
  const source = mount.type === 'volume' ? mount.name : mount.source;
  const subpath = mount.subpath ? `,volume-subpath=${mount.subpath}` : '';
  const script = [
    'set -e; f=$1; d=$(dirname "$f")',
    `[ -d "$d" ] || { mkdir -p "$d"; chown ${owner.uid}:${owner.gid} "$d"; }`,
    `cat >"$f.new"; ${giveTo(owner, '"$f.new"')} || exit`,
    'rm -f "$f-wal" "$f-shm" "$f-journal"; mv "$f.new" "$f"; sync',
  ].join('; ');
  const options = shellQuote(`type=${mount.type},src=${source},dst=/target${subpath}`);
  const file = shellQuote(posix.join('/target', inside));
  return `docker run --rm -i --mount ${options} ${image} sh -c ${shellQuote(script)} sh ${file}`;
}

/**
 * `docker cp` of a folder's content makes the last folder where it is missing, with the owner it gets here. It cannot
 * remove the old log, but SQLite takes an empty one for none.
 */
function intoLayer({ name }: Container, { path, owner, folder, isWal }: FileFacts): string {
  const file = `"$d"/${shellQuote(posix.basename(path))}`;
  const parts = [
    'd=$(mktemp -d)',
    `cat >${file}`,
    ...(isWal ? [`: >${file}-wal`] : []),
    ...[file, ...(isWal ? [`${file}-wal`] : [])].map((each) => giveTo(owner, each)),
    giveTo(folder ?? { ...owner, mode: 0o755 }, '"$d"'),
    `docker cp -aq "$d/." ${shellQuote(`${name}:${posix.dirname(path)}`)}`,
    'rm -r "$d"',
  ];
  return `{ ${parts.join(' && ')}; }`;
}

function giveTo({ uid, gid, mode }: FileFacts['owner'], file: string): string {
  return `chown ${uid}:${gid} ${file} && chmod ${mode.toString(8)} ${file}`;
}
