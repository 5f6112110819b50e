import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { notWholeHint } from '../../domain/advice.ts';
import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Counts } from '../../domain/manifest.ts';
import type { ArtifactFacts, Proof, Review, ReviewedArtifact } from '../engine.ts';
import { parseAccounts } from './accounts.ts';
import { DumpReader, longestStatement, otherStatements } from './dump-reader.ts';

export async function prove(artifact: ArtifactFacts, plain: Readable, signal: AbortSignal): Promise<Proof> {
  return artifact.kind === 'users' ? proveAccounts(plain) : proveDatabase(artifact.name, plain, signal);
}

async function proveAccounts(plain: Readable): Promise<Proof> {
  const accounts = parseAccounts(await buffer(plain));
  const roles = accounts.filter(({ isRole }) => isRole).length;
  const grants = accounts.reduce((sum, account) => sum + account.grants.length, 0);
  const objects = { users: accounts.length - roles, roles, grants };
  return { method: 'every account up to the end marker', counts: [{ how: 'dump', objects }] };
}

async function proveDatabase(name: string, plain: Readable, signal: AbortSignal): Promise<Proof> {
  const reader = new DumpReader(name);
  try {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      signal.throwIfAborted();
      reader.read(chunk);
    }
    return { method: 'every statement read up to the end marker', counts: [reader.finish()] };
  } catch (error) {
    if (!(error instanceof RangeError)) throw asLifeboatError(error);
    throw new LifeboatError('PROOF_FAILED', `the dump of database ${name} is no SQL: ${error.message}`, {
      hint: notWholeHint,
      cause: error,
    });
  }
}

/** What the catalogue had, before and after, against what the dump makes: the same number of each kind. */
export function review(artifacts: readonly ReviewedArtifact[]): Review {
  const warnings: string[] = [];
  const checked: string[] = [];
  for (const { name, kind, counts, facts } of artifacts) {
    if (kind === 'users') {
      const unreadable = (facts.unreadable as readonly string[] | undefined) ?? [];
      warnings.push(...unreadable.map((account) => `account ${account} cannot be read, so it is not in the backup`));
      continue;
    }
    const dumped = totals(counts, 'dump');
    const catalogue = totals(counts, 'catalogue');
    for (const [what, expected] of Object.entries(catalogue)) compare(name, what, expected, dumped[what] ?? 0);
    const others = dumped[otherStatements] ?? 0;
    if (others > 0) warnings.push(`the dump of ${name} holds ${others} statements that Lifeboat does not know`);
    if ((dumped[longestStatement] ?? 0) > 1024 ** 3) {
      warnings.push(`${name} has a row of more than 1 GiB as SQL: no server takes it back, leave its table out`);
    }
    checked.push(`${name}: ${dumped.tables ?? 0} of ${catalogue.tables ?? 0} tables`);
  }
  return { method: checked.length > 0 ? checked.join(', ') : 'no database to compare', warnings };
}

function compare(database: string, what: string, expected: number, found: number): void {
  if (found === expected) return;
  throw new LifeboatError('PROOF_FAILED', `the dump of database ${database} holds ${found} of ${expected} ${what}`, {
    hint: 'the account that makes the dump may see them without being allowed to read them; use root',
  });
}

function totals(counts: readonly Counts[], how: Counts['how']): Record<string, number> {
  return Object.assign({}, ...counts.filter((entry) => entry.how === how).map((entry) => entry.objects));
}
