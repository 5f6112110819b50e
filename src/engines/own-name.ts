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

/** What the name ends with under which the live data is kept that was replaced. */
export function keptTail(suffix: string): string {
  return `${kept}${suffix}`;
}

/** Whether a restore of ours made this database or left it behind. */
export function isOwnDatabase(name: string): boolean {
  return name.startsWith(staged) || name.includes(kept);
}
