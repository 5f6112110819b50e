import { existsHint } from '../domain/advice.ts';
import { asLifeboatError, isLifeboatError, LifeboatError } from '../domain/errors.ts';
import { isBackupId } from '../domain/naming.ts';
import { type Body, consuming } from './body.ts';
import { checkKey, checkPrefix } from './key.ts';
import { removeOrphans } from './orphan.ts';
import { type ChecksumMode, probeChecksums } from './s3-checksum.ts';
import { s3Folders, s3Objects, s3Uploads } from './s3-list.ts';
import { continuation, type PutLimits, putBody } from './s3-put.ts';
import { readObject } from './s3-read.ts';
import { cleanUpTime } from './s3-upload.ts';
import type { S3Wire } from './s3-wire.ts';
import { type Draft, manifestFile, type PutOptions, type Store } from './store.ts';

export interface S3StoreOptions extends PutLimits {
  readonly location: string;
  readonly checksum: ChecksumMode;
  /** From this size on a read looks for numbered objects after the first. */
  readonly joinBytes: number;
}

const maxParts = 10_000;

/** The store over the calls of the protocol; `createS3Store` puts the real ones below it. */
export function storeOverWire(wire: S3Wire, options: S3StoreOptions): Store {
  if (options.objectBytes % options.partBytes !== 0 || options.objectBytes > options.partBytes * maxParts) {
    throw new LifeboatError('CONFIG_INVALID', 'the size of an object must be a whole number of parts, 10,000 at most');
  }
  const usesCrc32 = checksumSupport(wire, options.checksum);
  const put = (key: string, body: Body, { ifAbsent = false }: PutOptions, signal: AbortSignal) =>
    consuming(body, async () => {
      checkKey(key);
      begin(signal);
      return putBody(wire, key, body, { ...options, ifAbsent, usesCrc32: await usesCrc32(signal) }, signal);
    });

  const store: Store = {
    driver: 's3',
    location: options.location,
    put,
    async get(key, signal) {
      checkKey(key);
      begin(signal);
      return readObject(wire, key, options.joinBytes, signal);
    },
    async *list(prefix, signal) {
      checkPrefix(prefix);
      begin(signal);
      // A key that ends with a slash is a folder some console has made, not an object.
      for await (const object of s3Objects(wire, prefix, signal)) if (!/(^|\/)$/.test(object.key)) yield object;
    },
    async folders(prefix, signal) {
      checkPrefix(prefix);
      begin(signal);
      return (await s3Folders(wire, prefix, signal)).filter((name) => name !== '');
    },
    async remove(key, signal) {
      checkKey(key);
      begin(signal);
      await wire.remove(key, signal);
    },
    async draft(prefix, signal, { resume = false } = {}) {
      checkKey(prefix);
      begin(signal);
      const there: string[] = [];
      for await (const { key } of s3Objects(wire, `${prefix}/`, signal)) {
        if (!resume || key === `${prefix}/${manifestFile}`)
          throw new LifeboatError('OBJECT_EXISTS', `the backup folder ${prefix} is there already`, {
            hint: existsHint,
          });
        there.push(key);
      }
      return openDraft(wire, prefix, store, there);
    },
    async sweep(olderThanMs, signal) {
      begin(signal);
      const swept: string[] = [];
      for await (const upload of s3Uploads(wire, '', signal)) {
        // Only what we write in parts, in case the bucket is shared.
        if (!isBackupId(upload.key.split('/')[3] ?? '') || upload.startedAt.getTime() > Date.now() - olderThanMs)
          continue;
        await wire.abortUpload(upload, signal);
        swept.push(upload.key);
      }
      return [...swept, ...(await removeOrphans(store, olderThanMs, signal))];
    },
    freeBytes: async () => undefined,
  };
  return store;
}

/** Artifacts lie under their final names at once; without the manifest they are no backup. */
function openDraft(
  wire: S3Wire,
  prefix: string,
  { put, get }: Pick<Store, 'put' | 'get'>,
  takenUp: readonly string[],
): Draft {
  const mine = new Set<string>(takenUp);
  let state: 'open' | 'published' | 'left' | 'discarded' = 'open';
  /** The signal of the last put: what ended it leaves little time to discard. */
  let ended = AbortSignal.any([]);
  const putFile: Draft['put'] = async (file, body, options, signal) => {
    const key = `${prefix}/${file}`;
    ended = signal;
    return consuming(body, async () => {
      checkKey(file);
      if (state !== 'open') throw new LifeboatError('INTERNAL', `the draft ${prefix} was ended before`);
      try {
        const confirmation = await put(key, body, { ...options, ifAbsent: true }, signal);
        for (let n = 0; n < (confirmation.objects ?? 1); n++) mine.add(continuation(key, n));
        return confirmation;
      } catch (error) {
        // It may be there all the same, when the answers were lost; unless somebody else's was there before.
        if (!isLifeboatError(error, 'OBJECT_EXISTS')) mine.add(key);
        throw error;
      }
    });
  };
  return {
    put: putFile,
    get: (file, signal) => get(`${prefix}/${file}`, signal),
    async publish(manifest, signal) {
      const confirmation = await putFile(manifestFile, manifest, {}, signal);
      state = 'published';
      return confirmation;
    },
    leave() {
      if (state === 'open') state = 'left';
    },
    async discard() {
      if (state === 'published' || state === 'left') return;
      state = 'discarded';
      const signal = cleanUpTime(ended);
      const manifest = `${prefix}/${manifestFile}`;
      // Somebody else may have taken up the same objects and made them a backup.
      if (takenUp.length > 0 && !mine.has(manifest) && (await wire.head(manifest, signal))) return;
      // The manifest, which was put last, goes first: cut short, this may not leave what looks like a whole backup.
      for (const key of [...mine].reverse()) {
        await wire.remove(key, signal);
        mine.delete(key);
      }
    },
  };
}

/** Asked once, at the first put; asked again when the server could not be asked. */
function checksumSupport(wire: S3Wire, mode: ChecksumMode): (signal: AbortSignal) => Promise<boolean> {
  let known = mode === 'auto' ? undefined : mode === 'crc32';
  return async (signal) => {
    known ??= await probeChecksums(wire, signal);
    return known ?? false;
  };
}

function begin(signal: AbortSignal): void {
  if (signal.aborted) throw asLifeboatError(signal.reason);
}
