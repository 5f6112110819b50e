import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { Intent, Journal } from '../../domain/journal.ts';

/** One intent that was never marked as undone: its process died in between. */
export interface OpenIntent {
  readonly intent: Intent;
  readonly at: string;
  /** Marks it as dealt with. */
  done(): Promise<void>;
}

export interface DiskJournal extends Journal {
  /** The intents that earlier processes left open, newest first: what was done last is undone first. */
  leftOpen(): Promise<readonly OpenIntent[]>;
}

/**
 * One small file per intent, made durable before the act and removed after its undoing, so that whatever is there at the
 * next start is exactly what is left to put back.
 */
export function openJournal(folder: string, now: () => Date): DiskJournal {
  return {
    intend: async (intent) => {
      const at = now().toISOString();
      const file = join(folder, `${at.replace(/[:.]/g, '')}-${randomUUID()}.json`);
      await writeDurably(folder, file, JSON.stringify({ at, intent }));
      return () => removeDurably(folder, file);
    },
    leftOpen: async () => {
      const names = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
        if (error.code === 'ENOENT') return [];
        throw error;
      });
      const found: OpenIntent[] = [];
      for (const name of names.filter((entry) => entry.endsWith('.json')).sort()) {
        const file = join(folder, name);
        const { at, intent } = parse(await readFile(file, 'utf8'), file);
        found.push({ at, intent, done: () => removeDurably(folder, file) });
      }
      return found.reverse();
    },
  };
}

/** Only a broken disk, or a hand, makes one unreadable: it is written aside and then renamed. */
function parse(text: string, file: string): { readonly at: string; readonly intent: Intent } {
  try {
    return JSON.parse(text); // Written by us.
  } catch (cause) {
    throw new LifeboatError('QUIESCE_FAILED', `${file} cannot be read, so nobody knows what is left to put back`, {
      hint: 'see to it that every service runs and its data is whole, then remove that file',
      cause,
    });
  }
}

async function writeDurably(folder: string, file: string, text: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
    const handle = await open(`${file}.tmp`, 'wx', 0o600);
    try {
      await handle.writeFile(text);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(`${file}.tmp`, file);
    await syncFolder(folder);
  } catch (cause) {
    throw new LifeboatError(
      'QUIESCE_FAILED',
      `the journal in ${folder} cannot be written, so no container may be stopped`,
      {
        hint: 'give the sidecar a writable volume at /data with free space',
        cause,
      },
    );
  }
}

async function removeDurably(folder: string, file: string): Promise<void> {
  await rm(file, { force: true });
  await syncFolder(folder);
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
