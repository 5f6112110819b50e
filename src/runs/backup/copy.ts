import { encodeManifest } from '../../catalog/manifest-codec.ts';
import { verified } from '../../codecs/digest.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { backupPrefix } from '../../domain/naming.ts';
import type { Destination } from '../context.ts';

/**
 * Copies one complete backup to another destination, byte by byte as it is stored, manifest last. Rejects ARTIFACT_CORRUPT
 * when the copy at hand is damaged: damage is never spread.
 */
export async function copyBackup(
  manifest: Manifest,
  from: Destination,
  to: Destination,
  signal: AbortSignal,
): Promise<void> {
  const prefix = backupPrefix(manifest, manifest.id);
  const draft = await to.store.draft(prefix, signal);
  try {
    for (const artifact of manifest.artifacts) {
      const { file, storedBytes, storedSha256 } = artifact;
      const stored = await from.store.get(`${prefix}/${file}`, signal);
      const body = verified(stored, { bytes: storedBytes, sha256: storedSha256 }, file);
      const copy = await draft.put(file, body, { expectedBytes: storedBytes }, signal);
      if (copy.sha256 !== storedSha256)
        throw new LifeboatError('ARTIFACT_CORRUPT', `the copy of ${file} in ${to.name} differs`, {
          hint: 'lifeboat doctor tries that destination',
        });
    }
    const previous = await to.catalog.chainHead(manifest, signal);
    const { previous: _, ...rest } = manifest;
    await draft.publish(encodeManifest(previous ? { ...rest, previous } : rest), signal);
  } finally {
    await draft.discard().catch(() => {}); // What is left is swept later, and must not hide why the copy failed.
  }
}
