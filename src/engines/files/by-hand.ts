import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts } from '../engine.ts';
import { factsOf, listKind } from './facts.ts';
import { locationOf } from './preview.ts';

/** Any image with GNU tar will do; this one is small, and Lifeboat's own is made from it. */
const image = 'debian:trixie-slim';

/** Stops the service, unpacks over what is there, and starts it again. What came after the backup stays. */
export function byHand(container: Container, artifact: ArtifactFacts): string {
  if (artifact.kind === listKind) return 'cat';
  const location = locationOf(container, factsOf(artifact));
  if (!location) return 'tar --extract --numeric-owner --acls --xattrs --xattrs-include="*"';
  const { mount, inside } = location;
  const subpath = mount.subpath ? `,volume-subpath=${mount.subpath}` : '';
  const source = mount.type === 'volume' ? mount.name : mount.source;
  const options = shellQuote(`type=${mount.type},src=${source},dst=/target${subpath}`);
  const folder = shellQuote(inside === '/' ? '/target' : `/target${inside}`);
  const tar = `tar --extract --preserve-permissions --numeric-owner --acls --xattrs '--xattrs-include=*'`;
  const script = `mkdir -p "$1" && ${tar} -C "$1"`;
  const name = shellQuote(container.name);
  const run = `docker run --rm -i --mount ${options} ${image} sh -c ${shellQuote(script)} sh ${folder}`;
  return `{ docker stop ${name} && ${run} && docker start ${name}; }`;
}
