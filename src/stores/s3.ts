import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import { rootCertificates } from 'node:tls';
import type { S3Client } from '@aws-sdk/client-s3';
import { unlessAborted } from '../domain/abort.ts';
import { isLifeboatError, LifeboatError } from '../domain/errors.ts';
import { type Backoff, defaultBackoff, withRetries } from './backoff.ts';
import { s3Error } from './s3-error.ts';
import { defaultTimeouts, type S3Keys, type S3Options } from './s3-options.ts';
import { storeOverWire } from './s3-store.ts';
import type { Checks, S3Wire } from './s3-wire.ts';
import type { Store } from './store.ts';

type Sdk = typeof import('@aws-sdk/client-s3');
type Request<T> = (client: S3Client, sdk: Sdk) => Promise<T>;

const mib = 1024 ** 2;
const gib = 1024 ** 3;
const rereadKeysMs = 10 * 60_000;
const tokenName = 'lifeboat-put';

/** A store in a bucket of any server that speaks S3. */
export function createS3Store(options: S3Options): Store {
  const { bucket, prefix = '', endpoint, partBytes = 16 * mib, objectBytes = 128 * gib } = options;
  const path = [bucket, prefix].filter(Boolean).join('/');
  return storeOverWire(createWire(options, prefix && `${prefix}/`), {
    location: `s3://${path}${endpoint ? `?endpoint=${endpoint}` : ''}`,
    checksum: options.checksum ?? 'auto',
    partBytes,
    objectBytes,
    queue: options.queue ?? 4,
    joinBytes: Math.min(objectBytes, gib),
  });
}

/** The SDK is loaded and the client made at the first call. */
function createWire(options: S3Options, root: string): S3Wire {
  const { bucket: Bucket, storageClass } = options;
  const backoff: Backoff = { ...defaultBackoff, ...options.backoff };
  let connection: Promise<{ client: S3Client; sdk: Sdk }> | undefined;
  const connect = () => {
    // Bundled, a CommonJS package that is imported late has everything on its default export, and only there.
    connection ??= import('@aws-sdk/client-s3').then(({ default: sdk }) => ({
      sdk,
      client: createClient(sdk, options),
    }));
    return connection;
  };
  /** Sends a request, again when it failed for a passing reason. */
  const call = <T>(what: string, signal: AbortSignal, request: Request<T>, attempts = backoff.attempts): Promise<T> =>
    withRetries(
      async () => {
        try {
          const { client, sdk } = await connect();
          // The client heeds the signal in its requests, not while it looks for credentials or waits for a connection.
          return await unlessAborted(request(client, sdk), signal);
        } catch (error) {
          throw s3Error(error, what, Bucket, signal);
        }
      },
      { ...backoff, attempts },
      signal,
    );
  const write = (token: string) => ({
    Metadata: { [tokenName]: token },
    ...(storageClass ? { StorageClass: storageClass as 'STANDARD' } : {}),
  });

  return {
    put: (key, bytes, { ifAbsent, token, once, crc32, md5 }, signal) => {
      const input = {
        ...{ Bucket, Key: root + key, Body: bytes, ContentLength: bytes.length, ...write(token) },
        ...{ ...checksums({ crc32, md5 }), ...(ifAbsent ? { IfNoneMatch: '*' } : {}) },
      };
      const send: Request<void> = async (client, { PutObjectCommand }) => {
        await client.send(new PutObjectCommand(input), { abortSignal: signal });
      };
      return call(`put ${key}`, signal, send, once ? 1 : undefined);
    },
    createUpload: (key, { token, crc32 }, signal) =>
      call(`begin ${key}`, signal, async (client, { CreateMultipartUploadCommand }) => {
        const algorithm = crc32 ? ({ ChecksumAlgorithm: 'CRC32' } as const) : {};
        const input = { Bucket, Key: root + key, ...write(token), ...algorithm };
        const { UploadId } = await client.send(new CreateMultipartUploadCommand(input), { abortSignal: signal });
        return required(UploadId, `begin ${key}`, 'upload id');
      }),
    putPart: ({ key, uploadId, number }, bytes, checks, signal) =>
      call(`put part ${number} of ${key}`, signal, async (client, { UploadPartCommand }) => {
        const input = {
          ...{ Bucket, Key: root + key, UploadId: uploadId, PartNumber: number },
          ...{ Body: bytes, ContentLength: bytes.length, ...checksums(checks) },
        };
        const { ETag } = await client.send(new UploadPartCommand(input), { abortSignal: signal });
        return required(ETag, `put part ${number} of ${key}`, 'etag');
      }),
    completeUpload: ({ key, uploadId }, parts, ifAbsent, signal) =>
      call(`complete ${key}`, signal, async (client, { CompleteMultipartUploadCommand }) => {
        const Parts = parts.map(({ number, etag, crc32 }) => ({
          PartNumber: number,
          ETag: etag,
          ChecksumCRC32: crc32,
        }));
        const input = {
          ...{ Bucket, Key: root + key, UploadId: uploadId, MultipartUpload: { Parts } },
          ...(ifAbsent ? { IfNoneMatch: '*' } : {}),
        };
        await client.send(new CompleteMultipartUploadCommand(input), { abortSignal: signal });
      }),
    abortUpload: ({ key, uploadId }, signal) =>
      orMissing(undefined, () =>
        call(`take back ${key}`, signal, async (client, { AbortMultipartUploadCommand }) => {
          const input = { Bucket, Key: root + key, UploadId: uploadId };
          await client.send(new AbortMultipartUploadCommand(input), { abortSignal: signal });
        }),
      ),
    head: (key, signal) =>
      orMissing(undefined, () =>
        call(`look at ${key}`, signal, async (client, { HeadObjectCommand }) => {
          const input = { Bucket, Key: root + key, ChecksumMode: 'ENABLED' } as const;
          const head = await client.send(new HeadObjectCommand(input), { abortSignal: signal });
          return { bytes: head.ContentLength ?? -1, token: head.Metadata?.[tokenName], crc32: head.ChecksumCRC32 };
        }),
      ),
    get: (key, { from, etag }, signal) =>
      call(`read ${key}`, signal, async (client, { GetObjectCommand }) => {
        const input = {
          ...{ Bucket, Key: root + key },
          ...(from > 0 ? { Range: `bytes=${from}-` } : {}),
          ...(etag === undefined ? {} : { IfMatch: etag }),
        };
        const { Body, ContentLength, ETag } = await client.send(new GetObjectCommand(input), { abortSignal: signal });
        const body = required(Body, `read ${key}`, 'body');
        const chunks = converted(body as AsyncIterable<Uint8Array>, `read ${key}`, Bucket, signal);
        return { chunks, bytes: required(ContentLength, `read ${key}`, 'length'), etag: ETag };
      }),
    list: ({ prefix, folders, token, atMost }, signal) =>
      call(`list ${prefix}`, signal, async (client, { ListObjectsV2Command }) => {
        const input = {
          ...{ Bucket, Prefix: root + prefix, ContinuationToken: token },
          ...(folders ? { Delimiter: '/' } : {}),
          ...(atMost === undefined ? {} : { MaxKeys: atMost }),
        };
        const page = await client.send(new ListObjectsV2Command(input), { abortSignal: signal });
        return {
          objects: (page.Contents ?? []).map(({ Key, Size, LastModified }) => ({
            key: required(Key, `list ${prefix}`, 'key').slice(root.length),
            bytes: required(Size, `list ${prefix}`, 'size'),
            modifiedAt: required(LastModified, `list ${prefix}`, 'time'),
          })),
          folders: (page.CommonPrefixes ?? []).map(({ Prefix = '' }) => Prefix.slice(root.length)),
          isTruncated: page.IsTruncated ?? false,
          token: page.NextContinuationToken,
        };
      }),
    listUploads: (prefix, after, signal) =>
      call('list open uploads', signal, async (client, { ListMultipartUploadsCommand }) => {
        const marker = after ? { KeyMarker: root + after.key, UploadIdMarker: after.uploadId } : {};
        const input = { Bucket, Prefix: root + prefix, ...marker };
        const page = await client.send(new ListMultipartUploadsCommand(input), { abortSignal: signal });
        return {
          uploads: (page.Uploads ?? []).map(({ Key, UploadId, Initiated }) => ({
            key: required(Key, 'list open uploads', 'key').slice(root.length),
            uploadId: required(UploadId, 'list open uploads', 'upload id'),
            startedAt: required(Initiated, 'list open uploads', 'time'),
          })),
          isTruncated: page.IsTruncated ?? false,
          after: page.NextKeyMarker
            ? { key: page.NextKeyMarker.slice(root.length), uploadId: page.NextUploadIdMarker }
            : undefined,
        };
      }),
    remove: (key, signal) =>
      orMissing(undefined, () =>
        call(`remove ${key}`, signal, async (client, { DeleteObjectCommand }) => {
          await client.send(new DeleteObjectCommand({ Bucket, Key: root + key }), { abortSignal: signal });
        }),
      ),
  };
}

function createClient({ S3Client }: Sdk, options: S3Options): S3Client {
  const { endpoint, credentials, ca } = options;
  const { connectMs, idleMs, requestMs } = { ...defaultTimeouts, ...options.timeouts };
  const region = options.region ?? (endpoint ? 'us-east-1' : undefined);
  // Agents of our own: the handler replaces its own ones, and with them the CA, for some requests.
  const agent = { keepAlive: true, maxSockets: 50, ...(ca ? { ca: [...rootCertificates, ca] } : {}) };
  return new S3Client({
    ...(region ? { region } : {}),
    ...(endpoint ? { endpoint } : {}),
    ...(credentials ? { credentials: typeof credentials === 'function' ? rereading(credentials) : credentials } : {}),
    forcePathStyle: options.forcePathStyle ?? endpoint !== undefined,
    // Retries are ours: they heed the signal while they wait. Checksums are ours: every server understands the plain headers.
    maxAttempts: 1,
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    requestHandler: {
      httpAgent: new HttpAgent({ keepAlive: true, maxSockets: 50 }),
      httpsAgent: new HttpsAgent(agent),
      connectionTimeout: connectMs,
      socketTimeout: idleMs,
      requestTimeout: requestMs,
      throwOnRequestTimeout: true,
    },
  });
}

/** Ceph looks at a checksum only when the algorithm is named beside it. */
function checksums({ crc32, md5 }: Checks) {
  const named = crc32 === undefined ? {} : ({ ChecksumAlgorithm: 'CRC32', ChecksumCRC32: crc32 } as const);
  return { ...named, ...(md5 === undefined ? {} : { ContentMD5: md5 }) };
}

/** Keys that are read again when they were used for a while: they may have been rotated. */
function rereading(read: () => Promise<S3Keys>) {
  return async () => ({ ...(await read()), expiration: new Date(Date.now() + rereadKeysMs) });
}

/** The body's chunks, its errors in our words. */
async function* converted(body: AsyncIterable<Uint8Array>, what: string, bucket: string, signal: AbortSignal) {
  try {
    yield* body;
  } catch (error) {
    throw s3Error(error, what, bucket, signal);
  }
}

async function orMissing<T>(missing: T, request: () => Promise<T>): Promise<T> {
  try {
    return await request();
  } catch (error) {
    if (isLifeboatError(error, 'OBJECT_NOT_FOUND')) return missing;
    throw error;
  }
}

function required<T>(value: T | undefined, what: string, name: string): T {
  if (value !== undefined) return value;
  throw new LifeboatError('STORE_UNAVAILABLE', `cannot ${what}: the server's answer has no ${name}`, {
    hint: 'this storage does not speak S3 as it should: use another one, and report this',
  });
}
