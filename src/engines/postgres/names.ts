/** Databases that a restore makes beside the live ones; the suffix is the restore's own. */
const staged = 'lifeboat_new_';
const kept = '__lifeboat_prev_';

/** Name of the staged copy: nothing of the original name in it, because some tools read `=` or `-` in names as options. */
export function stagedName(suffix: string, number: number): string {
  return `${stagedPrefix(suffix)}${number}`;
}

/** How the names of all staged copies of one restore begin. */
export function stagedPrefix(suffix: string): string {
  return `${staged}${suffix}_`;
}

/** Name under which the replaced database is kept; PostgreSQL cuts names at 63 bytes, so the original is cut first. */
export function keptName(database: string, suffix: string): string {
  const tail = `${kept}${suffix}`;
  let head = database;
  while (Buffer.byteLength(head + tail) > 63) head = Array.from(head).slice(0, -1).join('');
  return head + tail;
}

export function isOwnDatabase(name: string): boolean {
  return name.startsWith(staged) || name.includes(kept);
}
