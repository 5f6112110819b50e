import type { Check } from '../domain/check.ts';
import { many } from '../domain/many.ts';
import { shortId } from '../domain/naming.ts';
import type { SourceResult } from '../domain/run-event.ts';
import type { CopyReport, RestoreReport, RunOutcome, VerifyReport } from '../runs/operations.ts';
import { duration, type Output } from './output.ts';

/** The last line of a command that did something: what happened, in plain words, and the run to ask about. */
export interface Summary {
  readonly mood: 'good' | 'doubtful' | 'bad';
  readonly text: string;
}

const marks = { good: ['✔', 'green'], doubtful: ['!', 'yellow'], bad: ['✖', 'red'] } as const;

export function summaryLine({ paint }: Pick<Output, 'paint'>, { mood, text }: Summary): string {
  const [mark, color] = marks[mood];
  return `${paint(color, mark)} ${text}`;
}

export function backupSummary({ run, result, sources }: RunOutcome): Summary {
  const count = (...wanted: SourceResult['result'][]) => sources.filter((each) => wanted.includes(each.result)).length;
  const saved = count('ok', 'degraded', 'partial');
  const lost = (['failed', 'skipped', 'cancelled'] as const).flatMap((kind) =>
    count(kind) > 0 ? [`${count(kind)} ${kind}`] : [],
  );
  const named = sources.length === 1 ? (sources[0]?.source ?? '') : `${sources.length} sources`;
  const what = saved === 0 ? 'nothing' : saved === sources.length ? named : `${saved} of ${named}`;
  const fewer =
    count('degraded') === sources.length
      ? 'but not in every destination'
      : `${count('degraded')} not in every destination`;
  const torn = count('partial') === sources.length ? 'but only in part' : `${count('partial')} only in part`;
  const text = [
    `backed up ${what}`,
    ...lost,
    ...(count('partial') > 0 ? [torn] : []),
    ...(count('degraded') > 0 ? [fewer] : []),
  ].join(', ');
  const mood = result === 'ok' ? 'good' : saved === 0 || result === 'cancelled' ? 'bad' : 'doubtful';
  return { mood, text: `${text} (run ${shortId(run)})` };
}

export function verifySummary({ run, result, backups, problems }: VerifyReport): Summary {
  const count = (wanted: SourceResult['result']) => backups.filter((each) => each.result === wanted).length;
  const sound = count('ok');
  const damaged = count('failed');
  const doubtful = backups.length - sound - damaged;
  const found = [
    ...(sound > 0 ? [`${sound} sound`] : []),
    ...(damaged > 0 ? [`${damaged} damaged`] : []),
    ...(doubtful > 0 ? [`${doubtful} not wholly checked`] : []),
    ...(problems.length > 0 ? [`${many(problems.length, 'thing')} could not be read`] : []),
  ];
  const isAll = found.length === 1 && sound > 1;
  const text = `verified ${many(backups.length, 'backup')}: ${isAll ? 'all sound' : found.join(', ')}`;
  const moods = { ok: 'good', partial: 'doubtful', failed: 'bad' } as const;
  return { mood: moods[result], text: `${text} (run ${shortId(run)})` };
}

export function copySummary({ run, to, result, backups, there, untried, problems }: CopyReport): Summary {
  const copied = backups.filter((each) => each.result === 'ok');
  const failed = backups.length - copied.length;
  const wanted = backups.length + untried.length;
  const [first] = backups;
  const one = wanted === 1 && first ? `${first.source} ${shortId(first.backup ?? '')}` : many(wanted, 'backup');
  const what = copied.length === 0 ? 'nothing' : copied.length === wanted ? one : `${copied.length} of ${one}`;
  const done =
    wanted === 0
      ? `${there.length === 1 ? 'the backup is' : `all ${there.length} backups are`} in ${to} already`
      : `copied ${what} to ${to}`;
  const more = [
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(untried.length > 0 ? [`${untried.length} not tried`] : []),
    ...(wanted > 0 && there.length > 0 ? [`${there.length} there already`] : []),
    ...(problems.length > 0 ? [`${many(problems.length, 'thing')} could not be read`] : []),
  ];
  const mood = result === 'ok' ? 'good' : copied.length === 0 && failed > 0 ? 'bad' : 'doubtful';
  return { mood, text: `${[done, ...more].join(', ')} (run ${shortId(run)})` };
}

export function restoreSummary({ run, source, backup, durationMs }: RestoreReport, as: string | undefined): Summary {
  const where = as === undefined ? '' : ` as ${as}`;
  const text = `restored ${source} from ${shortId(backup)}${where} in ${duration(durationMs)} (run ${shortId(run)})`;
  return { mood: 'good', text };
}

export function doctorSummary(checks: readonly Pick<Check, 'status'>[]): Summary {
  const count = (wanted: Check['status']) => checks.filter(({ status }) => status === wanted).length;
  const bad = [
    ...(count('warn') > 0 ? [many(count('warn'), 'warning')] : []),
    ...(count('fail') > 0 ? [`${count('fail')} failed`] : []),
  ];
  if (bad.length === 0) return { mood: 'good', text: `${many(count('pass'), 'check')} passed, nothing to mend` };
  const mood = count('fail') > 0 ? 'bad' : 'doubtful';
  return { mood, text: `${[`${count('pass')} of ${many(checks.length, 'check')} passed`, ...bad].join(', ')}` };
}
