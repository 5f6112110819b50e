import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { createS3Store } from '../src/stores/s3.ts';
import type { Bench } from './support/bench.ts';
import { race } from './support/rounds.ts';
import { openBucket } from './support/s3.ts';

const mib = 1024 ** 2;
/** Its name is no literal, so that the types of the rest can be checked where it is not installed. */
const library: string = '@aws-sdk/lib-storage';
interface Library {
  readonly Upload: new (options: object) => { done(): Promise<unknown> };
}
const yardstick = 'lib-storage, 16 MiB × 4';

/** The same bytes from memory, in the pieces in which a compressor hands them out. */
function* pieces(block: Buffer, bytes: number): Generator<Buffer> {
  for (let at = 0; at < bytes; at += 64 * 1024)
    yield block.subarray(at % block.length, (at % block.length) + 64 * 1024);
}

export default {
  title: 'upload to S3 against @aws-sdk/lib-storage with the same parts',
  run: async (given) => {
    const { Upload } = (await import(library)) as Library;
    await using bucket = await openBucket();
    const bytes = (given.isSmall ? 64 : 512) * mib;
    const block = randomBytes(64 * mib);
    const stream = () => Readable.from(pieces(block, bytes), { objectMode: false, highWaterMark: mib });
    const store = createS3Store({
      bucket: bucket.name,
      endpoint: bucket.endpoint,
      region: bucket.region,
      credentials: bucket.keys,
    });
    return await race(
      given,
      [
        {
          name: yardstick,
          run: async () => {
            const params = { Bucket: bucket.name, Key: 'theirs', Body: stream() };
            await new Upload({ client: bucket.client, params, partSize: 16 * mib, queueSize: 4 }).done();
          },
          after: bucket.empty,
        },
        {
          name: 'lifeboat',
          run: async () => {
            await store.put('ours', stream(), {}, new AbortController().signal);
          },
          after: bucket.empty,
        },
      ],
      [{ id: 'P10', of: 'lifeboat', against: yardstick, atMost: 1.1 }],
    );
  },
} satisfies Bench;
