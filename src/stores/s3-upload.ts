import { randomUUID } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { asLifeboatError, isLifeboatError, LifeboatError } from '../domain/errors.ts';
import { checksFor, compositeCrc32, encodeCrc32 } from './s3-checksum.ts';
import type { PartStream } from './s3-part.ts';
import type { Part, S3Wire, UploadRef } from './s3-wire.ts';

export interface UploadOptions {
  readonly ifAbsent: boolean;
  readonly usesCrc32: boolean;
  readonly partBytes: number;
  /** Parts on their way at once. */
  readonly queue: number;
}

/** What an object is made of. */
export interface PartSource extends PartStream {
  readonly first: Buffer;
  readonly maxParts: number;
}

/** An object whose bytes are with the server, or about to be, and that is not visible yet. */
export interface StagedObject {
  readonly key: string;
  readonly bytes: number;
  /** Makes it visible. Resolves true when the server vouches for the bytes by a checksum of its own. */
  publish(signal: AbortSignal): Promise<boolean>;
  /** Whether what lies there under the key is this object. */
  isOurs(signal: AbortSignal): Promise<boolean>;
  /** Takes back what is not published yet; never with the signal of the put, which has often fired. */
  abandon(signal: AbortSignal): Promise<void>;
}

const cleanUpMs = 60_000;
/** Whoever was told to end has little time, and a server that does not answer now will not answer soon. */
const hurriedMs = 3_000;

/** The time for taking back what a failed write left; sweep removes what is not taken back in it. */
export function cleanUpTime(ended: AbortSignal): AbortSignal {
  return AbortSignal.timeout(ended.aborted ? hurriedMs : cleanUpMs);
}

/** Sends the parts as one object, up to its publication. A failure fires `halt`, as a way to end the reading as well. */
export async function stageObject(
  wire: S3Wire,
  key: string,
  source: PartSource,
  options: UploadOptions,
  halt: AbortController,
  outer: AbortSignal,
): Promise<StagedObject> {
  const signal = AbortSignal.any([outer, halt.signal]);
  const token = randomUUID();
  if (source.first.length < options.partBytes) return stageSmall(wire, key, source.first, token, options);
  const { ifAbsent, usesCrc32 } = options;
  const uploadId = await wire.createUpload(key, { ifAbsent, token, crc32: usesCrc32 }, signal);
  const upload = { key, uploadId };
  const abandon = (until: AbortSignal) => wire.abortUpload(upload, until);
  try {
    const sent = await sendParts(wire, upload, source, options, halt, signal);
    const publish = async (until: AbortSignal) => {
      await publishOnce(wire, key, token, () => wire.completeUpload(upload, sent.parts, ifAbsent, until), until);
      return confirm(wire, key, token, sent.bytes, sent.crc32s, until);
    };
    return { key, bytes: sent.bytes, publish, abandon, isOurs: (until) => isOurs(wire, key, token, until) };
  } catch (error) {
    throw await withCleanUp(error, () => abandon(cleanUpTime(outer)));
  }
}

function stageSmall(wire: S3Wire, key: string, bytes: Buffer, token: string, options: UploadOptions): StagedObject {
  const checks = checksFor(bytes, options.usesCrc32);
  const publish = async (signal: AbortSignal) => {
    const send = () => wire.put(key, bytes, { ...checks, token, ifAbsent: options.ifAbsent }, signal);
    await publishOnce(wire, key, token, send, signal);
    return confirm(wire, key, token, bytes.length, checks.crc32 ? [checks.crc32] : [], signal);
  };
  const abandon = async () => undefined;
  return { key, bytes: bytes.length, publish, abandon, isOurs: (until) => isOurs(wire, key, token, until) };
}

interface Sent {
  readonly parts: readonly Part[];
  readonly bytes: number;
  /** What the server may show as the object's checksum. */
  readonly crc32s: readonly string[];
}

async function sendParts(
  wire: S3Wire,
  upload: UploadRef,
  { parts: source, recycle, first, maxParts }: PartSource,
  { usesCrc32, queue }: UploadOptions,
  halt: AbortController,
  signal: AbortSignal,
): Promise<Sent> {
  const parts: Part[] = [];
  const underWay = new Set<Promise<void>>();
  let bytes = 0;
  let whole = 0;
  const send = async (number: number, part: Buffer): Promise<void> => {
    const checks = checksFor(part, usesCrc32);
    try {
      const etag = await wire.putPart({ ...upload, number }, part, checks, signal);
      parts[number - 1] = { number, etag, crc32: checks.crc32 };
      recycle(part);
    } catch (error) {
      halt.abort(error);
    }
  };
  try {
    let part = first;
    for (let number = 1; ; number++) {
      bytes += part.length;
      if (usesCrc32) whole = crc32(part, whole);
      const sending: Promise<void> = send(number, part).finally(() => underWay.delete(sending));
      underWay.add(sending);
      if (underWay.size >= queue) await Promise.race(underWay);
      if (signal.aborted || number === maxParts) break;
      const next = await source.next();
      if (next.done) break;
      part = next.value;
    }
  } catch (error) {
    // The source failed: whatever is under way is of no use.
    halt.abort(error);
  }
  await Promise.all(underWay);
  if (signal.aborted) throw asLifeboatError(signal.reason);
  const crc32s = parts.flatMap((part) => part.crc32 ?? []);
  return { parts, bytes, crc32s: usesCrc32 ? [compositeCrc32(crc32s), encodeCrc32(whole)] : [] };
}

/** Publishes; when the server says it is too late because our own first request got through, that is success. */
async function publishOnce(
  wire: S3Wire,
  key: string,
  token: string,
  publish: () => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await publish();
  } catch (error) {
    if (!isLifeboatError(error, 'OBJECT_EXISTS', 'OBJECT_NOT_FOUND')) throw error;
    if (await isOurs(wire, key, token, signal)) return;
    throw error;
  }
}

async function isOurs(wire: S3Wire, key: string, token: string, signal: AbortSignal): Promise<boolean> {
  return (await wire.head(key, signal))?.token === token;
}

async function confirm(
  wire: S3Wire,
  key: string,
  token: string,
  bytes: number,
  crc32s: readonly string[],
  signal: AbortSignal,
): Promise<boolean> {
  const head = await wire.head(key, signal);
  if (head?.token !== undefined && head.token !== token) {
    throw new LifeboatError('STORE_UNAVAILABLE', `somebody else wrote ${key} at the same moment`, {
      hint: 'give two sidecars a prefix each',
    });
  }
  const wrongSize = head && head.bytes !== bytes ? `has ${head.bytes} bytes instead of ${bytes}` : undefined;
  const flaw = head ? wrongSize : 'is not there';
  if (flaw) {
    throw new LifeboatError('ARTIFACT_CORRUPT', `the server took ${key}, but it ${flaw}`, {
      hint: 'this storage does not keep what it confirms: do not rely on it',
    });
  }
  if (head?.crc32 === undefined || crc32s.length === 0) return false;
  if (crc32s.includes(head.crc32)) return true;
  throw new LifeboatError(
    'ARTIFACT_CORRUPT',
    `the server stored other bytes than were sent as ${key} (CRC32 differs)`,
    {
      hint: 'this storage damages what it is given: do not rely on it',
    },
  );
}

/** Cleans up after a failure; a clean-up that fails as well joins the first cause, never replaces it. */
export async function withCleanUp(error: unknown, cleanUp: () => Promise<void>): Promise<LifeboatError> {
  const first = asLifeboatError(error);
  try {
    await cleanUp();
    return first;
  } catch (second) {
    return new LifeboatError(first.code, first.message, {
      hint: [first.hint, 'what was uploaded could not be taken back; it is removed by itself after a day']
        .filter(Boolean)
        .join('; '),
      retryable: first.retryable,
      context: first.context,
      cause: new AggregateError([first, second]),
    });
  }
}
