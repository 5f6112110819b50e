import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { LifeboatError } from '../domain/errors.ts';

const textLimit = 16 * 1024 * 1024;

/** Standard output as text; rejects when it is longer than 16 MiB. */
export function answerOf({ stdout }: { readonly stdout: Readable }, title: string): Promise<string> {
  return text(limited(stdout, title));
}

async function* limited(stdout: Readable, title: string): AsyncGenerator<Buffer> {
  let bytes = 0;
  for await (const chunk of stdout as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > textLimit)
      throw new LifeboatError('COMMAND_FAILED', `${title} printed more than 16 MiB`, {
        hint: `no answer of ${title} is as long: is it another program in this image?`,
      });
    yield chunk;
  }
}
