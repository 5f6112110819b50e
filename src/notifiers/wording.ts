import prettyBytes from 'pretty-bytes';
import type { Message, MessageBackup, MessageSource, RunMessage } from './notifier.ts';

/** The words that all channels share. Nothing here is escaped for any of them. */

/** How a message begins. */
export interface Headline {
  readonly mark: string;
  /** `Backup failed: db/postgres` */
  readonly title: string;
  /** The whole in one line, for a phone's lock screen: `❌ shop: backup of db/postgres failed – last good 27 h ago` */
  readonly line: string;
}

export function headlineOf(message: Message): Headline {
  const { mark, title, sentence } = message.type === 'config.problem' ? ofProblems(message) : ofRun(message);
  return { mark, title, line: `${mark} ${message.stack}: ${sentence}` };
}

/** The sources a message is most of all about. */
export function concerned(message: RunMessage): readonly MessageSource[] {
  const { type, sources } = message;
  if (type === 'run.failed' || type === 'run.degraded') {
    const failed = sources.filter(({ result }) => result === 'failed');
    return failed.length > 0 ? failed : sources.filter(isBad);
  }
  return type === 'run.recovered' ? sources.filter(({ hasRecovered }) => hasRecovered) : sources;
}

export function isBad({ result }: MessageSource): boolean {
  return result === 'failed' || result === 'partial' || result === 'degraded';
}

/** `27 h` */
export function ageText(ms: number): string {
  const minutes = Math.floor(ms / 60_000);
  if (minutes < 90) return minutes < 2 ? 'a minute' : `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  return hours < 48 ? `${hours} h` : `${Math.floor(hours / 24)} days`;
}

/** `27 h ago`, `never`; undefined when it is not known. */
export function lastGoodText({ lastGood }: MessageSource): string | undefined {
  if (lastGood === undefined) return undefined;
  return lastGood === 'none' ? 'never' : `${ageText(lastGood.ageMs)} ago`;
}

/** `1.29 GB → 302 MB in local, offsite` */
export function backupText({ plainBytes, storedBytes, destinations }: MessageBackup): string | undefined {
  const sizes = [plainBytes, storedBytes].flatMap((bytes) => (bytes === undefined ? [] : [prettyBytes(bytes)]));
  const where = destinations.length > 0 ? `in ${destinations.join(', ')}` : '';
  return [sizes.join(' → '), where].filter((part) => part !== '').join(' ') || undefined;
}

// --- utils ---

interface Words {
  readonly mark: string;
  readonly title: string;
  readonly sentence: string;
}

const namedInTitle = 3;

function ofProblems(message: Extract<Message, { type: 'config.problem' }>): Words {
  const count = message.problems.length + message.leftOut;
  const [first] = message.problems;
  const title = count === 1 && first ? `Problem: ${first.where}` : `${count} configuration problems`;
  return { mark: '⚠️', title, sentence: count === 1 && first ? `problem with ${first.where}` : title };
}

function ofRun(message: RunMessage): Words {
  const chief = concerned(message);
  const names = namesOf(chief);
  const all = names ?? (message.error ? 'everything' : 'nothing');
  const good = lastGoodOf(chief);
  switch (message.type) {
    case 'run.failed':
      return { mark: '❌', title: `Backup failed: ${all}`, sentence: `backup of ${all} failed${good}` };
    case 'run.degraded': {
      const missed = [...new Set(chief.flatMap(({ errors }) => errors.map(({ destination }) => destination)))];
      const where = listed(missed.filter((name) => name !== undefined)) ?? 'every destination';
      return {
        mark: '⚠️',
        title: `Backup incomplete: ${all}`,
        sentence: chief.some(({ result }) => result === 'partial')
          ? `backup of ${all} is only partial`
          : `backup of ${all} did not reach ${where}`,
      };
    }
    case 'run.recovered': {
      const what = names ?? 'everything';
      const still = namesOf(message.sources.filter(isBad));
      const but = still ? ` – still failing: ${still}` : '';
      return { mark: '✅', title: `Backup works again: ${what}`, sentence: `backup of ${what} works again${but}` };
    }
    case 'run.succeeded':
      return { mark: '✅', title: `Backup done: ${all}`, sentence: `backup of ${all} done` };
    case 'restore.failed':
      return { mark: '❌', title: `Restore failed: ${all}`, sentence: `restore of ${all} failed` };
    case 'restore.succeeded':
      return { mark: '✅', title: `Restored: ${all}`, sentence: `${all} was restored` };
  }
}

function namesOf(sources: readonly MessageSource[]): string | undefined {
  return listed(sources.map(({ name }) => name));
}

/** `db/postgres, cache/redis, app/files and 4 more` */
function listed(names: readonly string[]): string | undefined {
  if (names.length === 0) return undefined;
  const rest = names.length - namedInTitle;
  const named = names.slice(0, namedInTitle).join(', ');
  return rest > 0 ? `${named} and ${rest} more` : named;
}

/** Of several, the one that is in the greatest danger. */
function lastGoodOf(sources: readonly MessageSource[]): string {
  if (sources.some(({ lastGood }) => lastGood === 'none')) return ' – there is no good backup yet';
  const ages = sources.flatMap(({ lastGood }) => (typeof lastGood === 'object' ? [lastGood.ageMs] : []));
  return ages.length > 0 ? ` – last good ${ageText(Math.max(...ages))} ago` : '';
}
