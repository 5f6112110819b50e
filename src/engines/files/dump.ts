import { LifeboatError } from '../../domain/errors.ts';
import type { Command } from '../../domain/shell.ts';
import { type DumpReport, reportMark } from '../../domain/tree-report.ts';
import type { Dump, Survey } from '../engine.ts';
import { archiveKind, type FolderFacts, listKind, listName } from './facts.ts';
import { atOf, readCommand } from './inside.ts';
import type { Folder } from './selection.ts';
import type { FilesNotes } from './survey.ts';

/** One archive per folder, and the list of what is in it, as the prover read it, right after. */
export async function* dump(survey: Survey): AsyncGenerator<Dump> {
  const { folders, reports } = survey.notes as FilesNotes;
  for (const folder of folders) {
    const { path, rules } = folder;
    const facts: FolderFacts = { path, rules };
    let list: string | undefined;
    const command = packCommand(folder, (report) => reports.set(path, report));
    yield {
      name: path,
      kind: archiveKind,
      extension: 'tar',
      facts: { ...facts },
      // Both run in a helper: where no pipe can be used the bytes come through the relay of the Engine.
      produce: { from: 'command', exec: command, helper: { path: 'file', command } },
      proved: (proof) => {
        list = proof.list;
      },
    };
    if (!reports.has(path)) {
      throw new LifeboatError('DUMP_INCOMPLETE', `the helper that read ${path} did not tell how it went`, {
        hint: 'back up again; if it returns, look for an out-of-memory kill on the host',
        retryable: true,
      });
    }
    if (list === undefined) continue;
    yield {
      name: listName(path),
      kind: listKind,
      extension: 'jsonl',
      facts: { of: path },
      produce: { from: 'text', text: list },
    };
  }
}

function packCommand({ location, rules }: Folder, onReport: (report: DumpReport) => void): Command {
  return {
    ...readCommand('dump', { at: atOf(location, 0), rules }, [location]),
    onStderrLine: (line) => {
      if (line.startsWith(reportMark)) onReport(JSON.parse(line.slice(reportMark.length)) as DumpReport);
    },
  };
}
