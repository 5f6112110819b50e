import { exitCodes, LifeboatError } from '../domain/errors.ts';
import { localTime } from '../domain/local-time.ts';
import { shortId } from '../domain/naming.ts';
import { createNamer } from '../domain/source-names.ts';
import { sourceName } from '../domain/types.ts';
import type { BackupEntry, RestoreAsk, RestoreReport, RestoreView } from '../runs/operations.ts';
import type { Command, CommandContext } from './command.ts';
import { age, bytes, type Output } from './output.ts';
import { restoreSummary, summaryLine } from './summary.ts';

export interface RestoreOptions {
  readonly at?: string;
  readonly to?: string;
  readonly as?: string;
  readonly database?: readonly string[];
  readonly dryRun?: boolean;
  /** Commander's form of `--no-safety-backup`. */
  readonly safetyBackup?: boolean;
}

/** `lifeboat restore target`: shows the plan, gets a yes, restores, says what was checked and how to undo it. */
export const restore: Command<RestoreOptions> = async (context, [given], options) => {
  const { operations, output, signal } = context;
  const chosen = given ? { target: given, at: options.at ?? 'latest' } : await pick(context);
  const ask: RestoreAsk = {
    ...chosen,
    to: options.to,
    as: options.as,
    only: options.database,
    skipSafety: options.safetyBackup === false,
  };
  const view = await operations.planRestore(ask, signal);
  if (output.json) output.data({ type: 'plan', ...view });
  else for (const line of planLines(output, view, context.now())) output.say(line);
  if (view.refusals.length > 0)
    throw new LifeboatError('RESTORE_REFUSED', view.refusals.join('; '), { hint: 'nothing was touched' });
  if (options.dryRun) return exitCodes.ok;
  const consent = await confirm(context, view, options);
  if (!consent) return exitCodes.interrupted;
  // The plan that was confirmed is the plan that runs: a newer backup must not slip in between.
  const report = await operations.restore({ ...ask, ...consent, at: view.backup.manifest.id }, signal);
  if (output.json) output.data({ type: 'result', ...report });
  else for (const line of reportLines(output, report, options.as)) output.print(line);
  return exitCodes.ok;
};

function planLines(output: Output, view: RestoreView, now: Date): string[] {
  const { manifest } = view.backup;
  const size = manifest.artifacts.reduce((total, { plainBytes }) => total + plainBytes, 0);
  const row = (name: string, value: string) => `  ${name.padEnd(10)} ${value}`;
  return [
    `Restore ${output.paint('bold', view.source)} in stack ${view.stack}`,
    row(
      'backup',
      `${shortId(manifest.id)} · ${localTime(manifest.startedAt)} (${age(manifest.startedAt, now)}) · ${bytes(size)} · complete, in ${view.backup.destinations.join(', ')}${manifest.trigger === 'safety' ? ' · made before a restore' : ''}`,
    ),
    row('of', view.server),
    row('first', 'prove the whole backup'),
    ...(view.takesSafety ? [row('', 'safety backup of what is there now')] : []),
    ...(view.stops.length > 0 ? [row('', `stop ${view.stops.join(', ')}`)] : []),
    ...view.lines.map((line, i) => row(i === 0 ? 'then' : '', line)),
    ...(view.stops.length > 0 ? [row('', `start ${view.stops.toReversed().join(', ')}`)] : []),
    ...view.warnings.map((warning) => `  ${output.paint('yellow', '!')} ${warning}`),
  ];
}

function reportLines(output: Output, report: RestoreReport, as: string | undefined): string[] {
  return [
    ...report.checks.map((check) => `  checked  ${check}`),
    // What is kept, and below it the command that removes it.
    ...report.kept.flatMap((kept) => kept.split(/; (?=when you no longer need it: )/)).map(keptLine),
    ...(report.restarted.length > 0 ? [`  started  ${report.restarted.join(', ')}`] : []),
    ...(report.undo ? [`  undo     ${report.undo}`] : []),
    summaryLine(output, restoreSummary(report, as)),
  ];
}

function keptLine(line: string): string {
  return line.startsWith('when you') ? `           ${line}` : `  kept     ${line}`;
}

/** A person types the service's name; a script gets time to change its mind, or must say --yes. Undefined means no. */
async function confirm(
  context: CommandContext,
  view: RestoreView,
  options: RestoreOptions,
): Promise<Pick<RestoreAsk, 'delayMs'> | undefined> {
  const { output, signal, restore: policy } = context;
  if (context.assumesYes || options.as) return {};
  if (context.isInteractive) {
    const { text, isCancel } = await import('@clack/prompts');
    const service = view.source.split('/')[0] ?? view.source;
    const typed = await text({ message: `Type ${service} to continue`, output: process.stderr, signal });
    if (!isCancel(typed) && typed === service) return {};
    output.say('Nothing was touched.');
    return undefined;
  }
  if (policy.requireConfirm) {
    throw new LifeboatError('RESTORE_REFUSED', 'LIFEBOAT_REQUIRE_CONFIRM is set and nobody is there to confirm', {
      hint: 'add --yes, or run it on a terminal',
    });
  }
  return { delayMs: policy.delayMs };
}

/** More than anybody scrolls through. */
const mostAsked = 50;

/** Without a target, a person on a terminal picks the backup. */
async function pick({
  operations,
  isInteractive,
  signal,
  now,
}: CommandContext): Promise<{ target: string; at: string }> {
  if (!isInteractive)
    throw new LifeboatError('USAGE', 'restore needs a target', {
      hint: 'e.g. restore db, or restore db/postgres --at 2026-11-20',
    });
  const { backups } = await operations.list({}, signal);
  if (backups.length === 0)
    throw new LifeboatError('BACKUP_NOT_FOUND', 'there are no backups yet', { hint: 'lifeboat backup' });
  const { isCancel, select } = await import('@clack/prompts');
  const ask = async (message: string, options: { value: string; label: string }[]) => {
    const chosen = await select({ message, options, output: process.stderr, signal });
    if (isCancel(chosen)) throw new LifeboatError('CANCELLED', 'nothing was chosen, nothing was touched');
    return chosen;
  };
  const named = createNamer(backups.map(({ manifest }) => manifest.stack));
  const nameOf = ({ manifest }: BackupEntry) => named({ stack: manifest.stack, name: sourceName(manifest) });
  const names = [...new Set(backups.map(nameOf))].sort();
  const target = await ask(
    'What do you want to restore?',
    names.map((name) => ({ value: name, label: name })),
  );
  const own = backups.filter((backup) => nameOf(backup) === target);
  const at = await ask(
    own.length > mostAsked
      ? `From when? These are the newest ${mostAsked}; restore ${target} --at names any other`
      : 'From when?',
    own.slice(0, mostAsked).map(({ manifest, verified }) => ({
      value: manifest.id,
      label: [
        `${localTime(manifest.startedAt)}  ${age(manifest.startedAt, now())}  ${shortId(manifest.id)}`,
        ...(manifest.trigger === 'safety' ? ['before a restore'] : []),
        ...(verified?.some(({ result }) => result === 'damaged') ? ['damaged'] : []),
      ].join('  '),
    })),
  );
  return { target, at };
}
