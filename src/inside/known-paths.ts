import { workPrefix } from '../domain/tree-rules.ts';
import { type Name, toText } from './bytes.ts';
import type { Entry } from './entry.ts';
import { badData } from './refusal.ts';

/**
 * Refuses every member that could end up anywhere but at its own new place below the folder: absolute paths, steps
 * upwards, names that come twice, whatever lies below something that is no folder of the archive (a link above all), and
 * hard links to what is no file of it. Archives that we made hold none of these.
 */
export class KnownPaths {
  readonly #folders = new Set<Name>();
  readonly #files = new Set<Name>();

  add(entry: Entry): void {
    const { path, type, to } = entry;
    if (this.#folders.size === 0) {
      if (path !== '' || type !== 'folder')
        throw this.#hostile(path, 'is not the folder itself, which must come first');
      this.#folders.add('');
      return;
    }
    const names = path.split('/');
    if (names.some((name) => name === '' || name === '.' || name === '..'))
      throw this.#hostile(path, 'leads out of the folder');
    if (path.startsWith(workPrefix)) throw this.#hostile(path, 'has a name that only restores use');
    if (!this.#folders.has(names.slice(0, -1).join('/'))) throw this.#hostile(path, 'lies in no folder of the archive');
    if (this.#folders.has(path) || this.#files.has(path)) throw this.#hostile(path, 'is there twice');
    if (type === 'hard link' && !this.#files.has(to ?? ''))
      throw this.#hostile(path, 'is a hard link to something outside of the archive');
    (type === 'folder' ? this.#folders : this.#files).add(path);
  }

  #hostile(path: Name, why: string): Error {
    return badData(`member ${JSON.stringify(toText(path))} ${why}`);
  }
}
