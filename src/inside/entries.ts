import type { EntryTotals } from '../domain/tree-report.ts';
import { type Entry, lineOf } from './entry.ts';
import { readTar } from './tar-reader.ts';

/** An answer of a helper is 16 MiB at most. */
const listLimit = 12 * 1024 ** 2;

/** Proves an archive by reading it to its end, and lists what it holds: a line per entry, then one of totals. */
export async function entries(archive: AsyncIterable<Buffer>): Promise<string> {
  const lines: string[] = [];
  let length = 0;
  const totals = countTotals();
  await readTar(archive, {
    onEntry: (entry) => {
      totals.add(entry);
      const line = lineOf(entry);
      length += Buffer.byteLength(line) + 1;
      if (length <= listLimit) lines.push(line);
    },
  });
  return [...lines, JSON.stringify(totals.result(lines.length)), ''].join('\n');
}

export function countTotals() {
  const count = { entries: 0, files: 0, folders: 0, links: 0, others: 0, devices: 0, bytes: 0 };
  return {
    add: ({ type, size }: Entry) => {
      count.entries += 1;
      count.bytes += size ?? 0;
      if (type === 'file') count.files += 1;
      else if (type === 'folder') count.folders += 1;
      else if (type.endsWith('link')) count.links += 1;
      else if (type.endsWith('device')) count.devices += 1;
      else count.others += 1;
    },
    result: (listed: number): EntryTotals => ({ ...count, listed }),
  };
}
