import { LifeboatError } from '../../domain/errors.ts';
import type { Counts } from '../../domain/manifest.ts';

/** What our scripts tell about a database, one line each. */
export interface Told {
  /** How it was checked; undefined when it was not. */
  checked: string | undefined;
  /** Tables, indexes, views, triggers. */
  objects: Record<string, number>;
  /** Rows by table. */
  readonly rows: Map<string, number>;
  /** Rows whose foreign key names nothing; undefined when it could not be asked. */
  foreignKeys: number | undefined;
}

const mark = 'lifeboat:';

/** Reads the lines as they come; other lines are not for us. */
export function createListener(): {
  hear(line: string): void;
  readonly told: Told;
  readonly done: Promise<Told>;
  end(): void;
} {
  const told: Told = { checked: undefined, objects: {}, rows: new Map(), foreignKeys: undefined };
  const done = Promise.withResolvers<Told>();
  const hear = (line: string): void => {
    const [, word, rest = ''] = /^lifeboat:([a-z-]+) ?(.*)$/s.exec(line) ?? [];
    if (word === 'checked') told.checked = rest;
    if (word === 'objects') told.objects = JSON.parse(rest) as Record<string, number>;
    if (word === 'foreign-keys') told.foreignKeys = Number(rest);
    if (word === 'rows') {
      const [table, rows] = JSON.parse(rest) as [string, number];
      told.rows.set(table, rows);
    }
    if (word === 'counted') done.resolve(told);
  };
  return {
    hear,
    told,
    done: done.promise,
    end: () =>
      done.reject(
        new LifeboatError('DUMP_INCOMPLETE', 'the copy ended before its rows were counted', {
          hint: 'back up again; if it returns, look for an out-of-memory kill on the host',
        }),
      ),
  };
}

/** The lines of a script that ended. */
export function parseTold(printed: string): Told {
  const listener = createListener();
  for (const line of printed.split('\n')) if (line.startsWith(mark)) listener.hear(line);
  return listener.told;
}

/** Counts read from the very copy that became the artifact, while it was made. */
export function countsOfCopy({ objects, rows }: Told): readonly Counts[] {
  const counted: Counts[] = Object.keys(objects).length > 0 ? [{ how: 'catalogue', objects }] : [];
  return rows.size > 0 ? [...counted, { how: 'exact', objects: rowCounts(rows) }] : counted;
}

/** Counts read from the stored bytes by the prover. */
export function countsOfProof({ objects, rows, foreignKeys }: Told): readonly Counts[] {
  const violations = foreignKeys === undefined ? {} : { [foreignKeyCount]: foreignKeys };
  return [{ how: 'dump', objects: { ...objects, ...rowCounts(rows), ...violations } }];
}

/** Name under which rows with a dangling foreign key are counted. */
export const foreignKeyCount = 'foreign key violations';

/** What differs between two counts of the same database, in words; only what both know is compared. */
export function differences(
  expected: Readonly<Record<string, number>>,
  found: Readonly<Record<string, number>>,
): string[] {
  return Object.entries(expected)
    .filter(([what, number]) => found[what] !== number)
    .map(([what, number]) => `${what}: ${found[what] ?? 0} instead of ${number}`);
}

export function merged(counts: readonly Counts[], ...hows: Counts['how'][]): Record<string, number> {
  return Object.assign({}, ...counts.filter(({ how }) => hows.includes(how)).map(({ objects }) => objects));
}

function rowCounts(rows: ReadonlyMap<string, number>): Record<string, number> {
  return Object.fromEntries([...rows].map(([table, number]) => [`rows of ${table}`, number]));
}
