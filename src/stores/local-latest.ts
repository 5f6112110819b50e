import { access, readdir, rename, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { isBackupId } from '../domain/naming.ts';
import { temporaryName } from './key.ts';
import { codeOf } from './local-error.ts';
import { syncFolder } from './local-folder.ts';
import { manifestFile } from './store.ts';

const linkName = 'latest';

/** FAT and some network shares have no symbolic links; a destination there does without the convenience. */
const cannotLink = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS']);

/** Points `latest` in a source's folder at its newest backup, in one step; removes it when there is none. */
export async function refreshLatest(sourceFolder: string): Promise<void> {
  // Two writers may refresh at once: whoever comes last must have seen both backups.
  for (let newest = await newestBackup(sourceFolder); ; ) {
    if (newest === undefined) await rm(join(sourceFolder, linkName), { force: true });
    else if (!(await point(sourceFolder, newest))) return;
    const pointed = newest;
    newest = await newestBackup(sourceFolder);
    if (newest === pointed) return;
  }
}

async function newestBackup(sourceFolder: string): Promise<string | undefined> {
  const names = await readdir(sourceFolder).catch((error) => {
    if (codeOf(error) === 'ENOENT') return [];
    throw error;
  });
  for (const id of names.filter(isBackupId).sort().reverse()) {
    const isComplete = await access(join(sourceFolder, id, manifestFile)).then(
      () => true,
      () => false,
    );
    if (isComplete) return id;
  }
  return undefined;
}

async function point(sourceFolder: string, id: string): Promise<boolean> {
  const temporary = join(sourceFolder, temporaryName());
  try {
    await symlink(id, temporary);
    await rename(temporary, join(sourceFolder, linkName));
  } catch (error) {
    if (cannotLink.has(codeOf(error) ?? '')) return false;
    throw error;
  } finally {
    await rm(temporary, { force: true });
  }
  await syncFolder(sourceFolder);
  return true;
}
