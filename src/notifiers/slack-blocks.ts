import { shortId } from '../domain/naming.ts';
import { field, header, markdown, type SlackBlock, type SlackPayload, section } from './block-kit.ts';
import type { Message, MessageError, MessageSource, MessageType, RunMessage } from './notifier.ts';
import { code, codeBlock, dateToken, escaped } from './slack-text.ts';
import { backupText, concerned, headlineOf, isBad, lastGoodText } from './wording.ts';

/** Not documented: some measured 13,200 characters of text, others were refused with less. */
const mostCharacters = 10_000;
const longestLine = 300;
const longestField = 300;
/** Who has more problems than this opens the terminal. */
const mostSections = 6;

/** What the command of a message is good for. */
const commandWords: Readonly<Record<MessageType, string>> = {
  'run.failed': 'Try again',
  'run.degraded': 'Try again',
  'run.recovered': 'See the backups',
  'run.succeeded': 'See the backups',
  'restore.failed': 'See the backups',
  'restore.succeeded': 'Undo',
  'config.problem': 'See what is backed up',
};

/** A message as Block Kit, within all limits, with everything from outside escaped. */
export function slackPayload(message: Message): SlackPayload {
  const { mark, title, line } = headlineOf(message);
  const head: SlackBlock[] = [header(`${mark} ${title}`)];
  const body = message.type === 'config.problem' ? [] : [fieldsOf(message)];
  const tail = [...commandOf(message), contextOf(message)];
  const { shown, hidden } = fitting(sectionsOf(message), [...head, ...body, ...tail]);
  const more = hidden > 0 ? [section(`… and ${hidden} more`)] : [];
  return {
    text: escaped(line, longestLine),
    unfurl_links: false,
    unfurl_media: false,
    blocks: [...head, ...body, ...shown, ...more, ...tail],
  };
}

// --- utils ---

function fieldsOf(message: RunMessage): SlackBlock {
  const { error } = message;
  const chiefs = concerned(message);
  const [chief] = chiefs;
  const fault = chief?.errors[0] ?? error;
  const kept = chiefs.length === 1 && chief?.backup && backupText(chief.backup);
  const isTrouble = chief !== undefined && isBad(chief);
  const isRestore = message.trigger === 'restore';
  return {
    type: 'section',
    fields: [
      field('Stack', escaped(placeOf(message), longestField)),
      ...(chief?.result === 'failed' && chief.lastGood ? [field('Last good', lastGoodOf(chief))] : []),
      ...(fault?.step || fault?.destination ? [field('Step', escaped(stepOf(fault), longestField))] : []),
      ...(kept ? [field('Backup', escaped(kept, longestField))] : []),
      ...(chief?.nextRunAt && !isRestore
        ? [field(isTrouble ? 'Next try' : 'Next run', dateToken(chief.nextRunAt))]
        : []),
    ],
  };
}

/** `shop @ host1` */
function placeOf({ stack, host }: Message): string {
  return [stack, host].filter((part) => part !== '').join(' @ ');
}

function lastGoodOf(source: MessageSource): string {
  const text = lastGoodText(source) ?? '';
  return typeof source.lastGood === 'object' ? `${dateToken(source.lastGood.at)} (${text})` : text;
}

/** `dump`, `→ offsite` */
function stepOf({ step, destination }: MessageError): string {
  return [step ?? '', destination === undefined ? '' : `→ ${destination}`].join(' ').trim();
}

/** One section for each problem; sources that failed for the same reason share one. */
function sectionsOf(message: Message): readonly SlackBlock[] {
  if (message.type === 'config.problem') {
    return message.problems.map(({ where, message: text, hint }) =>
      section(`*${escaped(where, longestField)}*\n${faultText({ code: '', message: text, hint }, 1500)}`),
    );
  }
  const bad = message.sources.filter(isBad);
  const groups = Map.groupBy(bad, ({ errors }) => JSON.stringify(errors.map(({ message: text }) => text)));
  const isNamed = bad.length > 1 || message.type === 'run.recovered';
  const { error } = message;
  const isExplained = bad.some(({ errors }) => errors.some(({ message: text }) => text === error?.message));
  return [
    ...(error && !isExplained ? [section(faultText(error, 1500))] : []),
    ...[...groups.values()].map((group) => groupSection(group, isNamed)),
    ...keptSection(message),
  ];
}

function groupSection(group: readonly MessageSource[], isNamed: boolean): SlackBlock {
  const names = group.map((source) => [source.name, lastGoodText(source)] as const);
  const title = names.map(([name, good]) => (good ? `${name} (last good: ${good})` : name)).join(', ');
  const errors = group[0]?.errors.slice(0, 2) ?? [];
  const stored = [...new Set(group.flatMap(({ backup }) => backup?.destinations ?? []))].join(', ');
  return section(
    [
      ...(isNamed ? [`*${escaped(title, longestField)}*`] : []),
      ...errors.map((error) => faultText(error, errors.length > 1 ? 700 : 1500, errors.length > 1)),
      ...(stored ? [`The copy in ${escaped(stored, longestField)} was written.`] : []),
    ].join('\n'),
  );
}

function faultText({ message, hint, destination }: MessageError, longest: number, isPlaced = false): string {
  const place = isPlaced && destination ? `${escaped(destination, 120)}: ` : '';
  return `${place}${codeBlock(message, longest)}${hint ? `\n${escaped(hint, longestField)}` : ''}`;
}

/** What good sources kept, where there are several. */
function keptSection(message: RunMessage): readonly SlackBlock[] {
  const good = concerned(message).filter((source) => !isBad(source));
  if (good.length < 2) return [];
  const lines = good.map(({ name, backup }) => `${name}  ${(backup && backupText(backup)) ?? ''}`.trimEnd());
  return [section(codeBlock(lines.slice(0, 20).join('\n'), 1500))];
}

function commandOf({ type, command }: Message): readonly SlackBlock[] {
  return command === undefined ? [] : [section(`${commandWords[type]}: ${code(command, 500)}`)];
}

function contextOf(message: Message): SlackBlock {
  const words: string[] = [];
  if (message.type === 'config.problem') words.push(placeOf(message));
  else {
    const { ok, total } = message.counts;
    if (total > 1) words.push(`${ok} of ${total} sources ok`);
    words.push(message.trigger, `run ${shortId(message.run)}`);
  }
  words.push(`Lifeboat ${message.lifeboat}`);
  return { type: 'context', elements: [markdown(escaped(words.join(' · '), longestLine))] };
}

/** As many sections as Slack takes beside the other blocks. */
function fitting(sections: readonly SlackBlock[], others: readonly SlackBlock[]) {
  const shown: SlackBlock[] = [];
  for (const next of sections.slice(0, mostSections)) {
    if (JSON.stringify([...others, ...shown, next]).length > mostCharacters) break;
    shown.push(next);
  }
  return { shown, hidden: sections.length - shown.length };
}
