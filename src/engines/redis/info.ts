/** What a server answers to INFO, by field. */
export type Info = ReadonlyMap<string, string>;

/** Reads the answer to INFO: `field:value` lines between `# Section` headings. */
export function parseInfo(text: string): Info {
  const fields = new Map<string, string>();
  for (const line of text.split(/\r?\n/)) {
    const colon = line.indexOf(':');
    if (colon > 0 && !line.startsWith('#')) fields.set(line.slice(0, colon), line.slice(colon + 1));
  }
  return fields;
}

export function numberIn(info: Info, field: string): number | undefined {
  const value = info.get(field);
  return value !== undefined && /^-?\d+(\.\d+)?$/.test(value) ? Number(value) : undefined;
}

/** Keys of one database, as INFO tells them. */
export interface KeyspaceEntry {
  readonly keys: number;
  readonly expires: number;
}

/** `db0:keys=3,expires=1,avg_ttl=0` → 0: 3 keys, 1 of them expires. Databases without keys are not listed. */
export function keyspaceOf(info: Info): ReadonlyMap<number, KeyspaceEntry> {
  const found = new Map<number, KeyspaceEntry>();
  for (const [field, value] of info) {
    const [, number] = /^db(\d+)$/.exec(field) ?? [];
    const [, keys, expires] = /^keys=(\d+),expires=(\d+)/.exec(value) ?? [];
    if (number !== undefined && keys !== undefined) {
      found.set(Number(number), { keys: Number(keys), expires: Number(expires ?? 0) });
    }
  }
  return found;
}
