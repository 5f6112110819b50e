import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { notWholeHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { visible } from '../../domain/grammar.ts';
import type { Counts } from '../../domain/manifest.ts';
import { many } from '../../domain/many.ts';
import type { Shell } from '../../domain/shell.ts';
import type { EntryTotals, Names } from '../../domain/tree-report.ts';
import type { ArtifactFacts, Proof, Review, ReviewedArtifact, Survey } from '../engine.ts';
import { archiveKind, listKind } from './facts.ts';
import { exitCodes, plainCommand, saidBy } from './inside.ts';
import type { FilesNotes } from './survey.ts';

/** An archive is read to its end in a helper, every entry hashed and listed; a list must be whole. */
export async function prove(
  shell: Shell,
  artifact: ArtifactFacts,
  plain: Readable,
  signal: AbortSignal,
): Promise<Proof> {
  if (artifact.kind === listKind) return proveList(artifact.name, await text(plain));
  const finished = await shell.run(plainCommand('entries'), plain, signal);
  if (finished.exitCode === exitCodes.badData) {
    throw new LifeboatError('PROOF_FAILED', `the archive of ${artifact.name} is not whole: ${saidBy(finished)}`, {
      hint: notWholeHint,
    });
  }
  if (finished.exitCode !== 0) {
    throw new LifeboatError(
      'COMMAND_FAILED',
      `the archive of ${artifact.name} could not be checked: ${saidBy(finished)}`,
      {
        hint: 'the helper that checks it has failed, not the archive: look for an out-of-memory kill on the host',
      },
    );
  }
  const totals = totalsOf(artifact.name, finished.stdout);
  return {
    method: 'every entry of the archive was read to its end and hashed',
    counts: [countsOf(totals)],
    ...(totals.listed === totals.entries ? { list: finished.stdout } : {}),
  };
}

/** What the helper was asked to pack against what the archive holds, and what changed meanwhile. */
export function review(survey: Survey, artifacts: readonly ReviewedArtifact[]): Review {
  const { reports } = survey.notes as FilesNotes;
  const archives = artifacts.filter(({ kind }) => kind === archiveKind);
  const warnings: string[] = [];
  const lacks: string[] = [];
  const lines = archives.map(({ name, counts }) => {
    const report = reports.get(name);
    const { entries = 0, files = 0, folders = 0 } = counts[0]?.objects ?? {};
    if (!report || report.members - report.missing !== entries) {
      throw new LifeboatError(
        'PROOF_FAILED',
        `the archive of ${name} holds ${entries} entries, and ${report?.members ?? 'an unknown number'} were given to tar`,
        { hint: notWholeHint },
      );
    }
    if (report.changed.count > 0) lacks.push(`${name}: ${namesText(report.changed)} changed while being read`);
    if (report.unreadable.count > 0) lacks.push(`${name}: ${namesText(report.unreadable)} could not be read`);
    warnings.push(...report.said.map((line) => `${name}: ${visible(line)}`));
    if (!artifacts.some(({ kind, facts }) => kind === listKind && facts.of === name))
      warnings.push(`${name} has too many entries for a list of them beside the archive`);
    return `${name}: ${many(files, 'file')} in ${many(folders, 'folder')}, as many entries as were found`;
  });
  return { method: lines.join('; '), warnings, lacks };
}

/** The totals at the end of a list that a helper of ours made. */
export function totalsOf(name: string, list: string): EntryTotals {
  const lines = list.split('\n');
  const [last = '', behind] = lines.slice(-2);
  try {
    const totals = JSON.parse(last) as EntryTotals;
    if (behind === '' && totals.listed === lines.length - 2 && totals.entries >= totals.listed) return totals;
  } catch {
    // Cut, or no list at all: said below.
  }
  throw new LifeboatError('PROOF_FAILED', `the list of ${name} is not whole`, { hint: notWholeHint });
}

// --- utils ---

function proveList(name: string, list: string): Proof {
  const { entries } = totalsOf(name, list);
  return { method: 'the list was read to its end', counts: [{ how: 'dump', objects: { lines: entries } }] };
}

function countsOf({ listed: _, ...totals }: EntryTotals): Counts {
  return { how: 'dump', objects: totals };
}

/** `3 files (a, b, c)` */
function namesText({ count, first }: Names): string {
  const shown = first.slice(0, 20).map((name) => visible(name));
  const more = count > shown.length ? [`${count - shown.length} more`] : [];
  return `${many(count, 'file')} (${[...shown, ...more].join(', ')})`;
}
