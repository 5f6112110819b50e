import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/**
 * Which destinations this sidecar has used, by URL: an empty folder where a used one should be is a disk that is not
 * mounted. Only a memory: losing it makes the next start trust an empty destination once more.
 */
export interface KnownDestinations {
  has(url: string): boolean;
  add(url: string, repository: string): Promise<void>;
}

export async function readKnownDestinations(folder: string): Promise<KnownDestinations> {
  const file = join(folder, 'destinations.json');
  const known: Record<string, string> = await readFile(file, 'utf8').then(
    (text) => JSON.parse(text) as Record<string, string>,
    (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return {};
      throw error;
    },
  );
  return {
    has: (url) => Object.hasOwn(known, url),
    add: async (url, repository) => {
      if (known[url] === repository) return;
      known[url] = repository;
      await mkdir(folder, { recursive: true });
      await writeFile(`${file}.tmp`, JSON.stringify(known, null, 2));
      await rename(`${file}.tmp`, file);
    },
  };
}
