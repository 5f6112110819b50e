import type { Socket } from 'node:net';
import { StringDecoder } from 'node:string_decoder';
import { asLifeboatError, LifeboatError } from '../domain/errors.ts';
import type { Session } from '../domain/shell.ts';
import { demux } from './demux.ts';
import { LineTail } from './line-tail.ts';
import { silenceMs, watchSilence } from './watch.ts';

const answerLimit = 64 * 1024 * 1024;

/** An interactive client, whoever runs it. */
export interface Conversation {
  readonly socket: Socket;
  /** The client as people know it, for messages. */
  readonly title: string;
  /** What it reads before anything else. */
  readonly preamble: string;
  /** Rejects with the reason when no answer can come any more; asked on silence. */
  check(): Promise<void>;
  /** Always called once, at the very end. */
  dispose(): Promise<void>;
}

/**
 * A conversation over a raw connection to an interactive client. No envelope is needed: an answer counts only when its
 * marker came, and the client leaves by itself when its input ends, also when we die.
 */
export function openSession({ socket, title, preamble, check, dispose }: Conversation): Session {
  const stderr = new LineTail();
  const pieces = demux(socket);
  // A character may come in two pieces.
  const decoder = new StringDecoder('utf8');
  let unread = '';
  if (preamble !== '') socket.write(preamble);
  socket.on('error', () => {}); // Reported by the read that meets it.

  async function ask(text: string, marker: string, signal?: AbortSignal): Promise<string> {
    const cancel = () => socket.destroy(asLifeboatError(signal?.reason));
    signal?.addEventListener('abort', cancel, { once: true });
    using watch = watchSilence(silenceMs, check, (reason) => socket.destroy(reason));
    try {
      signal?.throwIfAborted();
      socket.write(text.endsWith('\n') ? text : `${text}\n`);
      const end = new RegExp(`(?:^|\n)${RegExp.escape(marker)}\r?\n`);
      for (;;) {
        const found = end.exec(unread);
        if (found) {
          const answer = unread.slice(0, found.index);
          unread = unread.slice(found.index + found[0].length);
          return answer;
        }
        const next = await pieces.next();
        watch.alive();
        if (next.done)
          throw new LifeboatError('COMMAND_FAILED', `${title} ended: ${stderr.text.trim() || 'no message'}`, {
            hint: 'see docker logs of the container it ran in, and try again',
          });
        if (next.value.stream === 'stderr') stderr.push(next.value.bytes);
        else unread += decoder.write(next.value.bytes);
        if (unread.length > answerLimit)
          throw new LifeboatError('COMMAND_FAILED', `${title} answered more than 64 MiB`);
      }
    } finally {
      signal?.removeEventListener('abort', cancel);
    }
  }

  return {
    ask,
    [Symbol.asyncDispose]: async () => {
      socket.destroy();
      await dispose();
    },
  };
}
