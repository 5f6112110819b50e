import { createHash } from 'node:crypto';
import { encodedName, segment, segmentLimit } from '../../domain/naming.ts';

/** What an artifact is called beside its manifest, which alone knows the whole name of one that is too long for a file. */
export function artifactFile(
  { name, extension }: { readonly name: string; readonly extension: string },
  codecs: readonly { readonly extension: string }[],
): string {
  return [stem(name), extension, ...codecs.map((codec) => codec.extension)].join('.');
}

/** `~` is in no encoded name, so that a shortened one is never taken for another. */
function stem(name: string): string {
  const encoded = encodedName(name);
  if (encoded.length <= segmentLimit) return segment(name);
  const head = encoded.slice(0, segmentLimit - 40).replace(/%.?$/, '');
  return `${head}~${createHash('sha256').update(name).digest('hex').slice(0, 16)}`;
}
