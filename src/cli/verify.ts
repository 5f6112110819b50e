import { exitCodes } from '../domain/errors.ts';
import { localTime } from '../domain/local-time.ts';
import { shortId } from '../domain/naming.ts';
import type { SourceResult } from '../domain/run-event.ts';
import { createNamer } from '../domain/source-names.ts';
import type { StructureCheck, VerifiedCopy } from '../domain/verification.ts';
import type { VerifyLevel } from '../domain/verify-level.ts';
import type { VerifyReport } from '../runs/operations.ts';
import type { Command } from './command.ts';
import { bytes, duration, type Output } from './output.ts';
import { summaryLine, verifySummary } from './summary.ts';

export interface VerifyOptions {
  readonly level?: VerifyLevel;
  readonly at?: string;
}

const exitCodeOf: Record<VerifyReport['result'], number> = {
  ok: exitCodes.ok,
  partial: exitCodes.partial,
  failed: exitCodes.verificationFailed,
};

/** `lifeboat verify [target|id]`: reads backups back from everywhere they lie and says what is still whole. */
export const verify: Command<VerifyOptions> = async ({ operations, output, signal }, [target], options) => {
  const { level = 'structure', at } = options;
  const report = await operations.verify({ target, at, level }, signal);
  if (output.json) output.data({ type: 'result', ...report });
  else for (const line of reportLines(output, report)) output.print(line);
  return exitCodeOf[report.result];
};

function reportLines(output: Output, report: VerifyReport): string[] {
  const nameOf = createNamer(report.backups.flatMap(({ verified }) => verified?.stack ?? []));
  return [
    ...report.backups.flatMap((each) => backupLines(output, each, nameOf)),
    ...report.problems.map(
      ({ destination, key, message }) =>
        `${output.paint('red', '✖')} ${destination}: ${key ? `${key}: ` : ''}${message}`,
    ),
    summaryLine(output, verifySummary(report)),
  ];
}

function backupLines(
  output: Output,
  { verified, error, storedBytes, durationMs, ...each }: SourceResult,
  nameOf: ReturnType<typeof createNamer>,
): string[] {
  if (!verified) return [];
  const marks = { ok: output.paint('green', '✔'), failed: output.paint('red', '✖') };
  const mark = each.result === 'ok' || each.result === 'failed' ? marks[each.result] : output.paint('yellow', '!');
  const { id, stack, source: name, startedAt, copies, structure } = verified;
  return [
    `${mark} ${output.paint('bold', nameOf({ stack, name }))}  ${shortId(id)} of ${localTime(startedAt)}  ${bytes(storedBytes ?? 0)} read in ${duration(durationMs)}`,
    ...copies.flatMap((copy) => copyLines(output, copy)),
    ...structureLines(output, structure),
    ...(error?.hint ? [`    ${error.hint}`] : []),
  ];
}

function copyLines(output: Output, { destination, result, findings }: VerifiedCopy): string[] {
  if (result === 'ok') return [`    ${output.paint('green', '✔')} ${destination}: every byte as it was stored`];
  const mark = result === 'damaged' ? output.paint('red', '✖') : output.paint('yellow', '!');
  const word = result === 'damaged' ? 'damaged' : 'not read';
  return findings.map(({ file, message }) => {
    const about = message.startsWith(file) || message.includes(` ${file}`) ? message : `${file}: ${message}`;
    return `    ${mark} ${destination}: ${word}: ${about}`;
  });
}

function structureLines(output: Output, structure: StructureCheck): string[] {
  switch (structure.state) {
    case 'proved':
      return [`    ${output.paint('green', '✔')} structure: ${structure.methods.join('; ')}`];
    case 'not-run':
      return [`    ${output.paint('yellow', '!')} structure: not run: ${structure.why}`];
    case 'failed':
      return [`    ${output.paint('red', '✖')} structure: refused`];
    case 'not-asked':
      return [];
  }
}
