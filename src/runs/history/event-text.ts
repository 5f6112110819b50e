import prettyBytes from 'pretty-bytes';
import { failureFields, type LogFields, type LogLevel } from '../../domain/log.ts';
import { shortId } from '../../domain/naming.ts';
import { formatDuration } from '../../domain/quantity.ts';
import {
  type CopiedBackup,
  type Failure,
  type RunEvent,
  type SourceResult,
  type Step,
  stepWords,
} from '../../domain/run-event.ts';
import { createEventNamer } from '../../domain/source-names.ts';
import type { VerifiedBackup } from '../../domain/verification.ts';

/** An event in words, for the log and for `lifeboat logs`. */
export interface EventText {
  readonly level: LogLevel;
  readonly text: string;
  readonly fields: LogFields;
}

/** Puts events into words. It remembers each run as long as it goes on, for the one line that sums it up. */
export function createNarrator(): (event: RunEvent) => EventText | undefined {
  const runs = new Map<string, { readonly at: string; readonly trigger: string; readonly results: SourceResult[] }>();
  const nameOf = createEventNamer();
  return (event) => {
    const { run, stack } = event;
    if (event.type === 'progress') return undefined;
    const source = nameOf(event);
    const fields: LogFields = { run: shortId(run), source, ...(stack === undefined ? {} : { stack }) };
    switch (event.type) {
      case 'run.started': {
        runs.set(run, { at: event.at, trigger: event.trigger, results: [] });
        return {
          level: 'info',
          text: `run ${shortId(run)} started (${event.trigger}): ${event.sources.join(', ')}`,
          fields,
        };
      }
      case 'step.started':
        return { level: 'info', text: stepText(event), fields: { ...fields, step: event.step } };
      case 'step.finished':
        return { level: 'debug', text: `${stepText(event)}: done`, fields: { ...fields, step: event.step } };
      case 'warning':
        return { level: 'warn', text: event.message, fields: { ...fields, hint: event.hint } };
      case 'source.finished':
        runs.get(run)?.results.push(event.result);
        return resultText(event.result, fields);
      case 'run.finished': {
        const known = runs.get(run);
        runs.delete(run);
        const ms = known ? new Date(event.at).getTime() - new Date(known.at).getTime() : 0;
        const isBad = event.result === 'failed' || event.result === 'partial';
        const level = isBad ? 'error' : event.result === 'ok' ? 'info' : 'warn';
        const summary = summaryOf(event.result, known?.results ?? [], event.error);
        return {
          level,
          text: `run ${shortId(run)} finished: ${summary.counts} in ${formatDuration(ms)}${summary.why}`,
          fields: { run: shortId(run), ...(event.error ? failureFields(event.error) : {}) },
        };
      }
    }
  };
}

// --- utils ---

function stepText({ step, detail }: { readonly step: Step; readonly detail?: string }): string {
  return detail ? `${stepWords[step]} ${detail}` : stepWords[step];
}

function resultText(result: SourceResult, fields: LogFields): EventText {
  const { error, verified, copied } = result;
  if (verified) return verifiedText(verified, result, fields);
  if (copied) return copiedText(copied, result, fields);
  if (!result.backup) {
    const level = result.result === 'failed' ? 'error' : 'warn';
    const text = `${result.result}: ${error?.message ?? 'no reason was given'}`;
    return { level, text, fields: { ...fields, ...(error ? failureFields(error) : {}) } };
  }
  const sizes = `${prettyBytes(result.plainBytes ?? 0)} → ${prettyBytes(result.storedBytes ?? 0)}`;
  const saved = `saved as ${shortId(result.backup)}: ${sizes} in ${formatDuration(result.durationMs)}`;
  const lost = (result.destinations ?? []).filter((destination) => destination.result === 'failed');
  if (lost.length === 0 && error)
    return { level: 'warn', text: `${saved}, ${error.message}`, fields: { ...fields, ...failureFields(error) } };
  if (lost.length === 0) return { level: 'info', text: saved, fields };
  const where = lost.map(({ name, error: why }) => `not in ${name}: ${why?.message ?? 'no reason was given'}`);
  const [first] = lost;
  return {
    level: result.result === 'failed' ? 'error' : 'warn',
    text: `${saved}, but ${where.join('; ')}`,
    fields: { ...fields, ...(first?.error ? failureFields(first.error) : {}) },
  };
}

function verifiedText(verified: VerifiedBackup, { result, error }: SourceResult, fields: LogFields): EventText {
  const { id, copies, structure } = verified;
  const sound = copies.filter((copy) => copy.result === 'ok').map(({ destination }) => destination);
  const depth = structure.state === 'proved' ? 'and its structure was proved' : 'by its checksums';
  const good = sound.length > 0 ? `sound in ${sound.join(', ')} ${depth}` : 'sound nowhere';
  const text = `backup ${shortId(id)} is ${good}${error ? `; ${error.message}` : ''}`;
  const level = result === 'failed' ? 'error' : result === 'ok' ? 'info' : 'warn';
  return { level, text, fields: { ...fields, ...(error ? failureFields(error) : {}) } };
}

function copiedText({ to, foundBytes }: CopiedBackup, result: SourceResult, fields: LogFields): EventText {
  const { backup = '', storedBytes = 0, durationMs, error } = result;
  const id = shortId(backup);
  if (error)
    return {
      level: 'error',
      text: `${id} not copied to ${to}: ${error.message}`,
      fields: { ...fields, ...failureFields(error) },
    };
  const found = foundBytes > 0 ? `, ${prettyBytes(foundBytes)} of it was there already` : '';
  const text = `${id} copied to ${to}: ${prettyBytes(storedBytes)} in ${formatDuration(durationMs)}${found}`;
  return { level: 'info', text, fields };
}

/** `3 ok, 1 failed`, and the reasons. */
function summaryOf(result: string, results: readonly SourceResult[], error: Failure | undefined) {
  const kinds = ['ok', 'degraded', 'partial', 'failed', 'cancelled', 'skipped'] as const;
  const counts = kinds.flatMap((kind) => {
    const count = results.filter((each) => each.result === kind).length;
    return count > 0 ? [`${count} ${kind}`] : [];
  });
  const reasons = results.flatMap((each) =>
    each.result === 'failed' ? [`${each.source}: ${each.error?.message ?? 'no reason was given'}`] : [],
  );
  if (reasons.length === 0 && error) reasons.push(error.message);
  return { counts: counts.join(', ') || result, why: reasons.length > 0 ? ` – ${reasons.join('; ')}` : '' };
}
