/** It speaks English, and knows nothing else of us. */
export const tarEnvironment = { PATH: process.env.PATH, LC_ALL: 'C' };

/** Everything that Linux keeps of a file, and nothing that only reading it would change. */
const kept = ['--numeric-owner', '--acls', '--xattrs', '--xattrs-include=*'];

/** Reads the names of what it packs, each ended by a zero byte, from standard input. */
export function createArguments(root: string, file = '-'): readonly string[] {
  return [
    '--create',
    `--file=${file}`,
    '--format=posix',
    ...kept,
    '--sparse',
    '--pax-option=delete=atime,delete=ctime',
    '--quoting-style=escape',
    '--ignore-failed-read',
    '--no-recursion',
    `--directory=${root}`,
    '--null',
    '--files-from=-',
  ];
}

/** Folders get their times and modes when all is in them. */
export function extractArguments(root: string, file = '-'): readonly string[] {
  return [
    '--extract',
    `--file=${file}`,
    '--preserve-permissions',
    '--same-owner',
    ...kept,
    '--delay-directory-restore',
    '--warning=no-timestamp',
    `--directory=${root}`,
  ];
}
