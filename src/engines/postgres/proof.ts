import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { notWholeHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Counts } from '../../domain/manifest.ts';
import { isOnDisk, type Shell } from '../../domain/shell.ts';
import type { ArtifactFacts, Proof, Review, ReviewedArtifact } from '../engine.ts';
import { offline, withFile } from './client.ts';
import type { PostgresOptions } from './options.ts';
import { splitStatements } from './sql.ts';

const globalsEnd = '--\n-- PostgreSQL database cluster dump complete\n--\n\n';

export async function prove(
  shell: Shell,
  artifact: ArtifactFacts,
  plain: Readable,
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<Proof> {
  return artifact.kind === 'globals' ? proveGlobals(plain) : proveArchive(shell, artifact.name, plain, options, signal);
}

/** pg_dumpall closes its `\\restrict` before it writes the end marker; pg_dump does it after. Both orders are whole. */
async function proveGlobals(plain: Readable): Promise<Proof> {
  const script = await text(plain);
  const opened = /^\\restrict (\S+)$/m.exec(script)?.[1];
  const isClosed = opened === undefined || script.includes(`\n\\unrestrict ${opened}\n`);
  if (!script.endsWith(globalsEnd) || !isClosed) {
    throw new LifeboatError('PROOF_FAILED', 'the dump of roles and tablespaces has no end marker, so it is cut', {
      hint: notWholeHint,
    });
  }
  const roles = splitStatements(script).filter((statement) => statement.startsWith('CREATE ROLE')).length;
  return { method: 'end marker of pg_dumpall', counts: [{ how: 'dump', objects: { roles } }] };
}

/**
 * `pg_restore --list` reads only the table of contents and accepts archives cut at 99 %; writing the whole restore to
 * /dev/null reads every block and catches one missing byte. Its verbose messages name each object on the way.
 */
async function proveArchive(
  shell: Shell,
  name: string,
  plain: Readable,
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<Proof> {
  const objects: Record<string, number> = {};
  const count = (what: string) => {
    objects[what] = (objects[what] ?? 0) + 1;
  };
  const onStderrLine = (line: string) => {
    const made = /^pg_restore: creating ([A-Z]+(?: [A-Z]+)*) "/.exec(line)?.[1];
    if (made) count(made.toLowerCase());
    else if (line.startsWith('pg_restore: processing data for table')) count('table data');
  };
  const command = { ...offline(['pg_restore', '--verbose', '--file=/dev/null'], options), onStderrLine };
  const finished = isOnDisk(plain)
    ? await shell.run(withFile(command, plain.scratch), undefined, signal)
    : await shell.run(command, plain, signal);
  if (finished.exitCode !== 0) {
    const said = finished.stderr.trim().split('\n').slice(-2).join(' | ');
    throw new LifeboatError('PROOF_FAILED', `pg_restore does not accept the dump of database ${name}: ${said}`, {
      hint: notWholeHint,
    });
  }
  return { method: 'pg_restore read every block', counts: [{ how: 'dump', objects }] };
}

/** The catalogue as the dump's own snapshot saw it against what the archive holds. */
export function review(artifacts: readonly ReviewedArtifact[]): Review {
  const warnings: string[] = [];
  const checked: string[] = [];
  for (const artifact of artifacts.filter(({ kind }) => kind === 'database')) {
    const catalogue = totals(artifact.counts, 'catalogue');
    const dumped = totals(artifact.counts, 'dump');
    for (const [inCatalogue, inDump] of comparable) {
      const expected = catalogue[inCatalogue] ?? 0;
      const found = dumped[inDump] ?? 0;
      if (found < expected) {
        throw new LifeboatError(
          'PROOF_FAILED',
          `the dump of database ${artifact.name} holds ${found} of ${expected} ${inCatalogue}`,
          {
            hint: 'the dump is not complete; see the server log for what happened during the dump',
          },
        );
      }
    }
    checked.push(`${artifact.name}: ${dumped.table ?? 0} of ${catalogue.tables ?? 0} tables`);
  }
  return { method: checked.length > 0 ? checked.join(', ') : 'no database to compare', warnings };
}

/** Catalogue counts and the names that pg_restore gives the same objects. */
const comparable = [
  ['tables', 'table'],
  ['sequences', 'sequence'],
  ['views', 'view'],
  ['materialized_views', 'materialized view'],
  ['triggers', 'trigger'],
  ['extensions', 'extension'],
] as const;

function totals(counts: readonly Counts[], how: Counts['how']): Record<string, number> {
  return Object.assign({}, ...counts.filter((entry) => entry.how === how).map((entry) => entry.objects));
}
