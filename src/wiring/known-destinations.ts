import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { once } from '../runs/context.ts';

/**
 * Which destinations this sidecar has used, by URL: an empty folder where a used one should be is a disk that is not
 * mounted. Only a memory: losing it makes the next start trust an empty destination once more.
 */
export interface KnownDestinations {
  has(url: string): Promise<boolean>;
  add(url: string, repository: string): Promise<void>;
}

/** Read when it is first asked. */
export function readKnownDestinations(folder: string): KnownDestinations {
  const file = join(folder, 'destinations.json');
  const known = once(() => read(file));
  let written: Promise<void> = Promise.resolve();
  const add = async (url: string, repository: string) => {
    const all = await known();
    if (all[url] === repository) return;
    all[url] = repository;
    await mkdir(folder, { recursive: true });
    await writeFile(`${file}.tmp`, JSON.stringify(all, null, 2));
    await rename(`${file}.tmp`, file);
  };
  return {
    has: async (url) => Object.hasOwn(await known(), url),
    add: (url, repository) => {
      // One after the other: they share the temporary file.
      const next = written.then(() => add(url, repository));
      written = next.catch(() => {}); // Told to whoever asked for it; the next one is not to blame.
      return next;
    },
  };
}

async function read(file: string): Promise<Record<string, string>> {
  const text = await readFile(file, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return '{}';
    throw error;
  });
  try {
    return JSON.parse(text) as Record<string, string>;
  } catch {
    return {}; // Cut short by a power failure: a memory that is lost.
  }
}
