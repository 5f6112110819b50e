import pino from 'pino';
import { visible } from './domain/grammar.ts';
import { localTime } from './domain/local-time.ts';
import type { Log, LogFields, LogLevel } from './domain/log.ts';
import type { Redactor } from './domain/redact.ts';

export interface LogOptions {
  readonly level: LogLevel;
  /** `text` for people, in the time zone of the process; `json` for machines, in UTC. */
  readonly format: 'text' | 'json';
  readonly redactor: Redactor;
  /** Takes one line with its end. */
  write(line: string): void;
}

/** The one place where log lines are made. */
export function createLog({ level, format, redactor, write }: LogOptions): Log {
  const clean = (text: string) => visible(redactor.redact(text));
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: format === 'json' ? write : (line: string) => write(textLine(JSON.parse(line) as Line)) },
  );
  const at = (name: LogLevel) => (message: string, fields?: LogFields) => {
    logger[name](cleanFields(fields ?? {}, clean), clean(message));
  };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

// --- utils ---

interface Line {
  readonly time: string;
  readonly level: string;
  readonly msg: string;
  readonly [field: string]: unknown;
}

/** Values are cleaned before they are written as JSON: a secret of digits must not be cut out of a number or a date. */
function cleanFields(fields: LogFields, clean: (text: string) => string): Record<string, string> {
  const { error, hint, ...names } = fields;
  const known = Object.entries(names).filter((entry): entry is [string, string] => typeof entry[1] === 'string');
  return {
    // Names must stay what they are, or nothing would be found by them.
    ...Object.fromEntries(known.map(([name, value]) => [name, visible(value)])),
    ...(hint === undefined ? {} : { hint: clean(hint) }),
    ...(error === undefined ? {} : { error: clean(stackOf(error)) }),
  };
}

/** An unexpected error is a bug: its place in the code belongs into the log, with the causes below it. */
function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const own = error.stack ?? error.message;
  return error.cause === undefined ? own : `${own} – caused by ${stackOf(error.cause)}`;
}

const shownElsewhere = new Set(['time', 'level', 'msg', 'hint', 'run', 'source', 'stack', 'step']);

/** `2026-11-21 03:00:11 WARN  k3f9a2 db/postgres: not in offsite – check the key (code=STORE_UNAVAILABLE)` */
function textLine(line: Line): string {
  const { time, level, msg, hint, run, source } = line;
  // A line about a run as a whole names it itself.
  const about = source === undefined ? '' : [run, source].filter((part) => part !== undefined).join(' ');
  const rest = Object.entries(line).flatMap(([name, value]) =>
    shownElsewhere.has(name) ? [] : [`${name}=${String(value)}`],
  );
  const text = [
    `${localTime(time, 'seconds')} ${level.toUpperCase().padEnd(5)} ${about ? `${about}: ` : ''}${msg}`,
    ...(hint === undefined ? [] : [`– ${String(hint)}`]),
    ...(rest.length > 0 ? [`(${rest.join(', ')})`] : []),
  ];
  return `${text.join(' ')}\n`;
}
