import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { once } from '../runs/context.ts';

/** A small JSON file of named facts in the data folder. */
export interface MemoryFile<T> {
  get(name: string): Promise<T | undefined>;
  /** Rejects when it cannot be written; the next one is tried all the same. */
  set(name: string, fact: T): Promise<void>;
}

/** Read when it is first asked. One that is missing or was cut short by a power failure is a memory that is lost. */
export function memoryFile<T>(file: string): MemoryFile<T> {
  const facts = once(() => read<T>(file));
  let written: Promise<void> = Promise.resolve();
  const write = async (name: string, fact: T) => {
    const all = await facts();
    if (JSON.stringify(all[name]) === JSON.stringify(fact)) return;
    all[name] = fact;
    await mkdir(dirname(file), { recursive: true });
    await writeFile(`${file}.tmp`, JSON.stringify(all, null, 2));
    await rename(`${file}.tmp`, file);
  };
  return {
    get: async (name) => {
      const all = await facts();
      return Object.hasOwn(all, name) ? all[name] : undefined;
    },
    set: (name, fact) => {
      // One after the other: they share the temporary file.
      const next = written.then(() => write(name, fact));
      written = next.catch(() => {}); // Told to whoever asked for it; the next one is not to blame.
      return next;
    },
  };
}

async function read<T>(file: string): Promise<Record<string, T>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  try {
    return JSON.parse(text) as Record<string, T>;
  } catch {
    return {};
  }
}
