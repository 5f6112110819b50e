import { randomUUID } from 'node:crypto';
import s3 from '@aws-sdk/client-s3';

export interface BenchBucket extends AsyncDisposable {
  readonly name: string;
  readonly client: InstanceType<typeof s3.S3Client>;
  readonly endpoint: string;
  /** The same server as containers see it. */
  readonly containerEndpoint: string;
  readonly region: string;
  readonly keys: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Removes what was stored, but not the mark of a destination: the server is small. */
  empty(): Promise<void>;
}

/** A bucket of its own on the testbed's S3 server, as scripts/bench.sh tells of it in the environment. */
export async function openBucket(): Promise<BenchBucket> {
  const fact = (name: string) => {
    const value = process.env[`LIFEBOAT_TESTBED_S3_${name}`];
    if (value) return value;
    throw new Error(`no S3 server: LIFEBOAT_TESTBED_S3_${name} is not set; npm run bench brings one up`);
  };
  const keys = { accessKeyId: fact('ACCESS_KEY'), secretAccessKey: fact('SECRET_KEY') };
  const [endpoint, region, name] = [fact('ENDPOINT'), fact('REGION'), `lifeboat-bench-${randomUUID().slice(0, 8)}`];
  const client = new s3.S3Client({ endpoint, region, forcePathStyle: true, credentials: keys });
  await client.send(new s3.CreateBucketCommand({ Bucket: name }));
  const remove = async (isWanted: (key: string) => boolean) => {
    const { Contents = [] } = await client.send(new s3.ListObjectsV2Command({ Bucket: name }));
    for (const { Key = '' } of Contents.filter((object) => isWanted(object.Key ?? '')))
      await client.send(new s3.DeleteObjectCommand({ Bucket: name, Key }));
  };
  return {
    name,
    client,
    endpoint,
    containerEndpoint: fact('CONTAINER_ENDPOINT'),
    region,
    keys,
    empty: () => remove((key) => !key.endsWith('lifeboat.json')),
    [Symbol.asyncDispose]: async () => {
      await remove(() => true);
      await client.send(new s3.DeleteBucketCommand({ Bucket: name }));
      client.destroy();
    },
  };
}
