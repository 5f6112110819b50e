import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import s3 from '@aws-sdk/client-s3';

/** A bucket of the testbed's S3 server; dispose of it to remove it and all that is in it. */
export interface Bucket extends AsyncDisposable {
  readonly client: InstanceType<typeof s3.S3Client>;
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

export async function makeBucket(bucket: string): Promise<Bucket> {
  const { ENDPOINT = '', CONTAINER_ENDPOINT = '', REGION = '', ACCESS_KEY = '', SECRET_KEY = '' } = await server();
  const client = new s3.S3Client({
    endpoint: ENDPOINT,
    region: REGION,
    forcePathStyle: true,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
  });
  await client.send(new s3.CreateBucketCommand({ Bucket: bucket }));
  const keys = async () => {
    const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket: bucket }));
    return Contents.map(({ Key }) => Key ?? '');
  };
  return {
    client,
    keys,
    settings: {
      LIFEBOAT_DEST_OFFSITE_URL: `s3://${bucket}/prod?region=${REGION}&endpoint=${encodeURIComponent(CONTAINER_ENDPOINT)}&path-style=true`,
      LIFEBOAT_DEST_OFFSITE_ACCESS_KEY_ID: ACCESS_KEY,
      LIFEBOAT_DEST_OFFSITE_SECRET_ACCESS_KEY: SECRET_KEY,
    },
    [Symbol.asyncDispose]: async () => {
      for (const Key of await keys()) await client.send(new s3.DeleteObjectCommand({ Bucket: bucket, Key }));
      await client.send(new s3.DeleteBucketCommand({ Bucket: bucket }));
    },
  };
}
