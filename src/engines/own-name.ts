/** How databases are called that a restore makes beside the live ones; the suffix is the restore's own. */
const staged = 'lifeboat_new_';
const kept = '__lifeboat_prev_';

/**
 * Name of a staged copy. Nothing of the original name is in it: it is never too long, and never something that a tool
 * reads as an option (`=`, `-`).
 */
export function stagedName(suffix: string, number: number): string {
  return `${stagedPrefix(suffix)}${number}`;
}

/** How the names of all staged copies of one restore begin. */
export function stagedPrefix(suffix: string): string {
  return `${staged}${suffix}_`;
}

/**
 * The name under which live data is kept that was replaced. One that is too long for the server is cut; the number, its
 * own in each restore, tells it from others that begin alike.
 */
export function keptName(
  database: string,
  suffix: string,
  number: number,
  isTooLong: (name: string) => boolean,
): string {
  const tail = `${kept}${suffix}`;
  if (!isTooLong(database + tail)) return database + tail;
  const head = Array.from(database);
  const named = () => `${head.join('')}_${number}${tail}`;
  while (isTooLong(named())) head.pop();
  return named();
}

/** Whether a restore of ours made this database or left it behind. */
export function isOwnDatabase(name: string): boolean {
  return name.startsWith(staged) || name.includes(kept);
}
