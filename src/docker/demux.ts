import { LifeboatError } from '../domain/errors.ts';

/** A piece of one of the two output streams; a frame may come in several pieces. */
export interface Piece {
  readonly stream: 'stdout' | 'stderr';
  readonly bytes: Buffer;
}

const headerBytes = 8;

/**
 * Splits the Engine's multiplexed stream: header `[type, 0, 0, 0, length BE32]`, then that many bytes. Pull-based, so a
 * slow reader slows the Engine; strict, so damage is an error and never becomes data. (`modem.demuxStream` does neither:
 * https://github.com/apocas/docker-modem, lib/modem.js.)
 */
export async function* demux(source: AsyncIterable<Buffer>): AsyncGenerator<Piece, void, undefined> {
  let header = Buffer.alloc(0);
  let stream: Piece['stream'] = 'stdout';
  let left = 0;
  for await (const chunk of source) {
    let at = 0;
    while (at < chunk.length) {
      if (left > 0) {
        const bytes = chunk.subarray(at, at + left);
        at += bytes.length;
        left -= bytes.length;
        yield { stream, bytes };
        continue;
      }
      const missing = headerBytes - header.length;
      header = Buffer.concat([header, chunk.subarray(at, at + missing)]);
      at += Math.min(missing, chunk.length - at);
      if (header.length < headerBytes) break;
      stream = streamOf(header);
      left = header.readUInt32BE(4);
      header = Buffer.alloc(0);
    }
  }
  if (left > 0 || header.length > 0) {
    throw new LifeboatError('DUMP_INCOMPLETE', "the Engine's stream ended inside a frame", {
      hint: 'back up again; if it returns, a proxy cuts the stream: run `lifeboat doctor`',
      retryable: true,
    });
  }
}

function streamOf(header: Buffer): Piece['stream'] {
  const isStdinOrStdout = header[0] === 0 || header[0] === 1;
  if ((isStdinOrStdout || header[0] === 2) && header[1] === 0 && header[2] === 0 && header[3] === 0) {
    return isStdinOrStdout ? 'stdout' : 'stderr';
  }
  throw new LifeboatError(
    'DUMP_INCOMPLETE',
    `the Engine's stream is damaged (frame header ${header.toString('hex')})`,
    {
      retryable: true,
      hint: 'something between Lifeboat and the Engine, such as a socket proxy, changes the bytes; run `lifeboat doctor`',
    },
  );
}
