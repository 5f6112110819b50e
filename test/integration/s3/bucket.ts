import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { after } from 'node:test';
import {
  AbortMultipartUploadCommand,
  CreateBucketCommand,
  DeleteBucketCommand,
  DeleteObjectsCommand,
  ListMultipartUploadsCommand,
  ListObjectsV2Command,
  S3Client,
} from '@aws-sdk/client-s3';
import { createS3Store } from '../../../src/stores/s3.ts';
import type { S3Options } from '../../../src/stores/s3-options.ts';
import type { Store } from '../../../src/stores/store.ts';
import type { StoreUnderTest } from '../../contracts/store.ts';

export const mib = 1024 ** 2;
export const never = new AbortController().signal;
export const text = (words: string) => Buffer.from(words);
export const quick = { attempts: 4, baseMs: 20, maxMs: 100 };

export const server = serverFrom(process.env);
export const client = new S3Client({
  endpoint: server.endpoint,
  region: server.region,
  forcePathStyle: true,
  credentials: server.credentials,
});
export const bucket = `lifeboat-${randomUUID().slice(0, 8)}`;
await client.send(new CreateBucketCommand({ Bucket: bucket }));
after(removeBucket);

/** The server is shared and small: what a run leaves behind fills it for everybody. */
async function removeBucket(): Promise<void> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket }));
  for (const { Key, UploadId } of Uploads) {
    await client.send(new AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
  }
  for (;;) {
    const { Contents = [] } = await client.send(new ListObjectsV2Command({ Bucket: bucket }));
    if (Contents.length === 0) break;
    const Objects = Contents.map(({ Key }) => ({ Key }));
    await client.send(new DeleteObjectsCommand({ Bucket: bucket, Delete: { Objects } }));
  }
  await client.send(new DeleteBucketCommand({ Bucket: bucket }));
}

interface TestServer {
  readonly endpoint: string;
  readonly tlsEndpoint?: string | undefined;
  readonly ca?: string | undefined;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
}

/** `LIFEBOAT_TEST_S3` as JSON names any server; else the one of testbed/ceph.sh is taken, and started when it does not run. */
function serverFrom(env: NodeJS.ProcessEnv): TestServer {
  const json = env.LIFEBOAT_TEST_S3;
  if (json) return JSON.parse(json);
  const script = new URL('../../../testbed/ceph.sh', import.meta.url).pathname;
  const lines = execFileSync('bash', ['-c', `eval "$(${script} up)" && env`], { stdio: ['ignore', 'pipe', 'inherit'] });
  const found = Object.fromEntries(
    Array.from(String(lines).matchAll(/^LIFEBOAT_TESTBED_S3_(\w+)=(.*)$/gm), ([, name, value]) => [name, value]),
  );
  return {
    endpoint: found.ENDPOINT ?? '',
    tlsEndpoint: found.TLS_ENDPOINT,
    ca: found.CA,
    region: found.REGION ?? 'us-east-1',
    credentials: { accessKeyId: found.ACCESS_KEY ?? '', secretAccessKey: found.SECRET_KEY ?? '' },
  };
}

export function storeAt(options: Partial<S3Options> = {}): Store {
  return createS3Store({
    bucket,
    prefix: `t/${randomUUID()}`,
    endpoint: server.endpoint,
    region: server.region,
    credentials: server.credentials,
    partBytes: 5 * mib,
    objectBytes: 500 * mib,
    backoff: quick,
    ...options,
  });
}

export async function openUploads(prefix: string): Promise<string[]> {
  const { Uploads = [] } = await client.send(new ListMultipartUploadsCommand({ Bucket: bucket, Prefix: prefix }));
  return Uploads.map(({ Key }) => Key ?? '');
}

export async function freshStore(options: Partial<S3Options> = {}): Promise<StoreUnderTest & { prefix: string }> {
  const prefix = `t/${randomUUID()}`;
  return { prefix, store: storeAt({ ...options, prefix }), leftovers: () => openUploads(prefix) };
}
