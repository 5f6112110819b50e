import { existsHint } from '../domain/advice.ts';
import { isLifeboatError, LifeboatError } from '../domain/errors.ts';
import { type Body, createMeter } from './body.ts';
import { cutIntoParts } from './s3-part.ts';
import { readObject } from './s3-read.ts';
import { cleanUpTime, type StagedObject, stageObject, type UploadOptions, withCleanUp } from './s3-upload.ts';
import type { S3Wire } from './s3-wire.ts';
import type { Confirmation } from './store.ts';

export interface PutLimits extends Omit<UploadOptions, 'ifAbsent' | 'usesCrc32'> {
  /** Bytes of one object; more become numbered objects. A multiple of the part size, at most 10,000 parts. */
  readonly objectBytes: number;
}

/** Name of the n-th object of a body that was too large for one: `cat` of all in the order of their names joins them. */
export function continuation(key: string, n: number): string {
  return n === 0 ? key : `${key}.${String(n).padStart(3, '0')}`;
}

/**
 * Stores a body as one object or, beyond the limit, as several. The first, which bears the plain name, is made visible
 * last, so that the key appears only when everything is there.
 */
export async function putBody(
  wire: S3Wire,
  key: string,
  body: Body,
  options: PutLimits & { readonly ifAbsent: boolean; readonly usesCrc32: boolean },
  signal: AbortSignal,
): Promise<Confirmation> {
  if (options.ifAbsent && (await wire.head(key, signal))) throw exists(key);
  const meter = createMeter();
  // Of the reading of the body and the sending of its parts, whichever fails stops the other.
  const halt = new AbortController();
  const both = AbortSignal.any([signal, halt.signal]);
  const { parts, recycle } = cutIntoParts(body, key, options.partBytes, meter, both);
  const staged: StagedObject[] = [];
  const published: StagedObject[] = [];
  try {
    const maxParts = Math.floor(options.objectBytes / options.partBytes);
    for (let next = await parts.next(); !next.done; next = await parts.next()) {
      const name = continuation(key, staged.length);
      staged.push(
        await stageObject(wire, name, { parts, recycle, first: next.value, maxParts }, options, halt, signal),
      );
    }
    let isVouchedFor = true;
    for (const object of staged.toReversed()) {
      published.push(object);
      isVouchedFor = (await object.publish(signal)) && isVouchedFor;
    }
    const written = meter.result();
    if (!isVouchedFor) await readBack(wire, key, written, options.objectBytes, signal);
    const objects = staged.length > 1 ? { objects: staged.length } : {};
    return { ...written, confirmed: isVouchedFor ? 'checksum' : 'read-back', ...objects };
  } catch (error) {
    throw await withCleanUp(error, () =>
      takeBack(wire, error, staged, published, options.ifAbsent, cleanUpTime(signal)),
    );
  } finally {
    await parts.return(undefined);
  }
}

/** Undoes what a failed put has done, as far as it is ours: somebody else's object under our key stays. */
async function takeBack(
  wire: S3Wire,
  error: unknown,
  staged: readonly StagedObject[],
  published: readonly StagedObject[],
  ifAbsent: boolean,
  signal: AbortSignal,
): Promise<void> {
  // Also those that were to be published: the last attempt may have failed, and a finished upload is gone anyway.
  for (const object of staged) await object.abandon(signal);
  const isCorrupt = isLifeboatError(error, 'ARTIFACT_CORRUPT');
  for (const object of published) {
    // What replaced an older object stays, being whole: the older one does not come back by removing it.
    const isWanted = object === staged[0] && !ifAbsent && !isCorrupt;
    if (!isWanted && (await object.isOurs(signal))) await wire.remove(object.key, signal);
  }
}

async function readBack(
  wire: S3Wire,
  key: string,
  written: { readonly bytes: number; readonly sha256: string },
  joinBytes: number,
  signal: AbortSignal,
): Promise<void> {
  const stored = createMeter();
  for await (const chunk of await readObject(wire, key, joinBytes, signal)) stored.add(chunk);
  const found = stored.result();
  if (found.bytes === written.bytes && found.sha256 === written.sha256) return;
  throw new LifeboatError('ARTIFACT_CORRUPT', `${key} does not read back as it was written (${found.bytes} bytes)`, {
    hint: 'this storage damages what it is given: do not rely on it',
  });
}

function exists(key: string): LifeboatError {
  return new LifeboatError('OBJECT_EXISTS', `${key} is there already`, { hint: existsHint });
}
