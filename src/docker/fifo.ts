import { execFile } from 'node:child_process';
import { closeSync, constants, openSync } from 'node:fs';
import { chown } from 'node:fs/promises';
import { promisify } from 'node:util';

const { O_RDONLY, O_WRONLY, O_RDWR, O_NONBLOCK } = constants;
const run = promisify(execFile);

/**
 * A named pipe, opened so that nothing ever blocks in open: first for both directions, then for each end, and the first
 * is closed. Each end stays open here (the keeper) until we decide, so that the end of the stream follows a known exit
 * code and never a crash.
 */
export interface Fifo {
  /** To be handed to a child process; close it here once the child has it. */
  readonly end: Descriptor;
  /** The other direction. While a writing keeper is open, readers see no end; while a reading one is, writers see no break. */
  readonly keeper: Descriptor;
  /** To be called when the other side has opened the pipe. */
  isOpened(): void;
  /** To be called when all bytes were written. */
  isFed(): void;
}

/** A descriptor that is closed once, however often it is asked to. */
export interface Descriptor {
  readonly fd: number;
  close(): void;
}

/** A pipe that we read and somebody else writes. */
export async function fifoToRead(path: string, owner: { readonly uid: number; readonly gid: number }): Promise<Fifo> {
  const both = await make(path, owner);
  const end = descriptor(openSync(path, O_RDONLY));
  const keeper = descriptor(openSync(path, O_WRONLY));
  both.close();
  return { end, keeper, isOpened: () => {}, isFed: () => {} };
}

/**
 * A pipe that we write and somebody else reads. A second writing end stays open until the reader is there (whoever opens a
 * pipe for reading waits for a writer, and ours may have written all and gone by then) and all was written: a writer that
 * breaks must not look like the end.
 */
export async function fifoToWrite(path: string, owner: { readonly uid: number; readonly gid: number }): Promise<Fifo> {
  const both = await make(path, owner);
  const end = descriptor(openSync(path, O_WRONLY));
  const reading = descriptor(openSync(path, O_RDONLY | O_NONBLOCK));
  const waiting = descriptor(openSync(path, O_WRONLY));
  both.close();
  const awaited = new Set(['opened', 'fed']);
  const happened = (what: string) => {
    awaited.delete(what);
    if (awaited.size === 0) waiting.close();
  };
  const close = () => {
    waiting.close();
    reading.close();
  };
  return {
    end,
    keeper: { fd: reading.fd, close },
    isOpened: () => happened('opened'),
    isFed: () => happened('fed'),
  };
}

async function make(path: string, { uid, gid }: { readonly uid: number; readonly gid: number }): Promise<Descriptor> {
  await run('mkfifo', ['-m', '600', path]);
  const both = descriptor(openSync(path, O_RDWR | O_NONBLOCK));
  await chown(path, uid, gid);
  return both;
}

function descriptor(fd: number): Descriptor {
  let isOpen = true;
  return {
    fd,
    close: () => {
      if (isOpen) closeSync(fd);
      isOpen = false;
    },
  };
}
