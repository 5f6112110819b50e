/** Databases that a restore makes beside the live ones; the suffix is the restore's own. */
const staged = 'lifeboat_new_';
const kept = '__lifeboat_prev_';

/** Databases that belong to the server itself. */
const systemDatabases = new Set(['information_schema', 'mysql', 'performance_schema', 'sys', 'ndbinfo']);

/** Name of the staged copy: nothing of the original name in it, so that it is never too long. */
export function stagedName(suffix: string, number: number): string {
  return `${stagedPrefix(suffix)}${number}`;
}

/** How the names of all staged copies of one restore begin. */
export function stagedPrefix(suffix: string): string {
  return `${staged}${suffix}_`;
}

/** Name under which the replaced tables are kept; a name has at most 64 characters, so the original is cut first. */
export function keptName(database: string, suffix: string): string {
  const tail = `${kept}${suffix}`;
  return database.slice(0, 64 - tail.length) + tail;
}

export function isOwnDatabase(name: string): boolean {
  return name.startsWith(staged) || name.includes(kept);
}

export function isSystemDatabase(name: string): boolean {
  return systemDatabases.has(name.toLowerCase()) || name.startsWith('#mysql50#');
}
