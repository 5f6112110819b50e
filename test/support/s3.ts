import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { promisify } from 'node:util';
import s3 from '@aws-sdk/client-s3';

/** A bucket of the testbed's S3 server; dispose of it to remove it and all that is in it. */
export interface Bucket extends AsyncDisposable {
  readonly client: InstanceType<typeof s3.S3Client>;
  readonly name: string;
  /** Where containers find the server. */
  readonly endpoint: string;
  readonly login: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Variables of a sidecar that make the bucket its destination `offsite`. */
  readonly settings: Readonly<Record<string, string>>;
  keys(): Promise<readonly string[]>;
}

/** The address of the S3 server, for us and for containers, as the testbed prints it. */
async function server(): Promise<Record<string, string>> {
  const { stdout } = await promisify(execFile)('bash', [join(import.meta.dirname, '../../testbed/ceph.sh'), 'up']);
  const lines = stdout.matchAll(/^export LIFEBOAT_TESTBED_S3_([A-Z_]+)=['"]?([^'"\n]*)['"]?$/gm);
  return Object.fromEntries(Array.from(lines, ([, name = '', value = '']) => [name, value]));
}

export async function makeBucket(name: string): Promise<Bucket> {
  const { ENDPOINT = '', CONTAINER_ENDPOINT = '', REGION = '', ACCESS_KEY = '', SECRET_KEY = '' } = await server();
  const login = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  const client = new s3.S3Client({ endpoint: ENDPOINT, region: REGION, forcePathStyle: true, credentials: login });
  await client.send(new s3.CreateBucketCommand({ Bucket: name }));
  const keys = async () => {
    const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket: name }));
    return Contents.map(({ Key }) => Key ?? '');
  };
  return {
    client,
    name,
    endpoint: CONTAINER_ENDPOINT,
    login,
    keys,
    settings: {
      LIFEBOAT_DEST_OFFSITE_URL: `s3://${name}/prod?region=${REGION}&endpoint=${encodeURIComponent(CONTAINER_ENDPOINT)}&path-style=true`,
      LIFEBOAT_DEST_OFFSITE_ACCESS_KEY_ID: ACCESS_KEY,
      LIFEBOAT_DEST_OFFSITE_SECRET_ACCESS_KEY: SECRET_KEY,
    },
    [Symbol.asyncDispose]: async () => {
      for (const Key of await keys()) await client.send(new s3.DeleteObjectCommand({ Bucket: name, Key }));
      await client.send(new s3.DeleteBucketCommand({ Bucket: name }));
    },
  };
}

/** A bucket for sidecars that run as processes of this host, through any endpoint. */
export interface TestBucket extends AsyncDisposable {
  readonly bucket: string;
  readonly endpoint: string;
  /** The same server by TLS, with a certificate of its own authority, whose file is `ca`. */
  readonly tlsEndpoint: string;
  readonly ca: string;
  readonly region: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Variables of a destination of this name, through another endpoint if one is given. */
  destination(name: string, prefix: string, endpoint?: string): Record<string, string>;
  keys(prefix?: string): Promise<string[]>;
  remove(key: string): Promise<void>;
  openUploads(): Promise<string[]>;
}

export async function testBucket(): Promise<TestBucket> {
  const {
    ENDPOINT: endpoint = '',
    TLS_ENDPOINT = '',
    CA = '',
    REGION = '',
    ACCESS_KEY = '',
    SECRET_KEY = '',
  } = await server();
  const credentials = { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY };
  const client = new s3.S3Client({ endpoint, region: REGION, forcePathStyle: true, credentials });
  const bucket = `lifeboat-${randomUUID().slice(0, 8)}`;
  await client.send(new s3.CreateBucketCommand({ Bucket: bucket }));
  const keys = async (prefix?: string) => {
    const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket: bucket, Prefix: prefix }));
    return Contents.map(({ Key }) => Key ?? '');
  };
  const remove = async (Key: string) => {
    await client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key }));
  };
  const uploads = async () => (await client.send(new s3.ListMultipartUploadsCommand({ Bucket: bucket }))).Uploads ?? [];
  return {
    bucket,
    endpoint,
    tlsEndpoint: TLS_ENDPOINT,
    ca: CA,
    region: REGION,
    credentials,
    keys,
    remove,
    openUploads: async () => (await uploads()).map(({ Key }) => Key ?? ''),
    destination: (name, prefix, other = endpoint) => ({
      [`LIFEBOAT_DEST_${name}_URL`]: `s3://${bucket}/${prefix}?region=${REGION}&endpoint=${encodeURIComponent(other)}&path-style=true`,
      [`LIFEBOAT_DEST_${name}_ACCESS_KEY_ID`]: ACCESS_KEY,
      [`LIFEBOAT_DEST_${name}_SECRET_ACCESS_KEY`]: SECRET_KEY,
    }),
    [Symbol.asyncDispose]: async () => {
      for (const { Key, UploadId } of await uploads()) {
        await client.send(new s3.AbortMultipartUploadCommand({ Bucket: bucket, Key, UploadId }));
      }
      for (const key of await keys()) await remove(key);
      await client.send(new s3.DeleteBucketCommand({ Bucket: bucket }));
      client.destroy();
    },
  };
}
