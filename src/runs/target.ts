import { LifeboatError } from '../domain/errors.ts';
import { nearest } from '../domain/nearest.ts';
import { createNamer, meant } from '../domain/source-names.ts';
import type { Source } from './source.ts';

/** The sources that the targets name, each as `meant` reads it; no target means all. Rejects SOURCE_NOT_FOUND with what there is. */
export function matchTargets(sources: readonly Source[], targets: readonly string[]): readonly Source[] {
  if (sources.length === 0) {
    throw new LifeboatError('SOURCE_NOT_FOUND', 'nothing to back up was found beside this sidecar', {
      hint: 'lifeboat plan shows every container and why it was left out',
    });
  }
  if (targets.length === 0) return sources;
  const chosen = new Set<Source>();
  for (const target of targets) {
    const found = meant(sources, (source) => source, target);
    if (found.length === 0) throw unknownTarget(target, sources);
    for (const source of found) chosen.add(source);
  }
  return [...chosen];
}

function unknownTarget(target: string, sources: readonly Source[]): LifeboatError {
  const nameOf = createNamer(sources.map(({ stack }) => stack));
  const known = [...new Set(sources.flatMap((source) => [source.service, source.name, nameOf(source)]))];
  const meant = nearest(target, known);
  const hint = meant ? `did you mean ${meant}?` : `there are: ${sources.map(nameOf).join(', ')}`;
  return new LifeboatError('SOURCE_NOT_FOUND', `there is no source ${target}`, { hint });
}
