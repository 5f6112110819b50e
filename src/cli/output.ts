import { stripVTControlCharacters, styleText } from 'node:util';
import prettyBytes from 'pretty-bytes';
import prettyMilliseconds from 'pretty-ms';

/** Where a command writes: results to standard output, everything said to people to standard error. */
export interface Output {
  readonly json: boolean;
  readonly verbose: boolean;
  /** How the way of a run is shown: one line that moves, plain lines, JSON lines, or not at all. */
  readonly progress: 'tty' | 'plain' | 'json' | 'quiet';
  /** A result line. */
  print(line: string): void;
  /** A message for people. */
  say(line: string): void;
  /** The result for machines: one JSON document, or a line of JSON Lines. */
  data(value: unknown): void;
  paint(style: Parameters<typeof styleText>[0], text: string): string;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly progress: 'auto' | Output['progress'];
  readonly color: boolean;
}

export function createOutput({ json, quiet, verbose, progress, color }: OutputOptions): Output {
  const isTerminal = process.stderr.isTTY === true && process.env.TERM !== 'dumb';
  const automatic = json ? 'json' : quiet ? 'quiet' : isTerminal ? 'tty' : 'plain';
  // Painted once, and washed off where it is not wanted: either stream may be a file.
  const write = (stream: NodeJS.WriteStream, line: string) => {
    const text = clean(line);
    stream.write(`${color && takesColor(stream, process.env) ? text : stripVTControlCharacters(text)}\n`);
  };
  return {
    json,
    verbose,
    progress: progress === 'auto' ? automatic : progress,
    print: (line) => write(process.stdout, line),
    say: (line) => {
      if (!quiet) write(process.stderr, line);
    },
    data: (value) => void process.stdout.write(`${JSON.stringify(value)}\n`),
    paint: (style, text) => styleText(style, text, { validateStream: false }),
  };
}

/** What people agreed upon: https://force-color.org beats https://no-color.org, and both beat what the stream is. */
export function takesColor(stream: { readonly isTTY?: boolean }, env: NodeJS.ProcessEnv): boolean {
  const isForced = [env.FORCE_COLOR, env.CLICOLOR_FORCE].some((value) => value && !/^(?:0|false)$/.test(value));
  return isForced || (stream.isTTY === true && env.TERM !== 'dumb' && !env.NO_COLOR);
}

/** Names and messages come from other people's containers: a terminal must never obey them. Our own colours stay. */
export function clean(line: string): string {
  return line.replace(/(?![\t\n])\p{Cc}(?:\[[0-9;]*m)?/gu, (found) =>
    found.length > 1 && found.charCodeAt(0) === 27 ? found : '\ufffd',
  );
}

export function bytes(count: number): string {
  return prettyBytes(count);
}

export function duration(ms: number): string {
  return prettyMilliseconds(ms, { compact: ms < 60_000, unitCount: 2, secondsDecimalDigits: 1 });
}

/** `3 h ago`; the exact time belongs beside it where it matters. */
export function age(time: string, now: Date): string {
  const ms = now.getTime() - new Date(time).getTime();
  return ms < 0
    ? 'in the future'
    : `${prettyMilliseconds(Math.max(ms, 1000), { unitCount: 1, secondsDecimalDigits: 0 })} ago`;
}

/** Columns without borders, aligned by what is seen, the last one ragged. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const width = (text: string) => stripVTControlCharacters(text).length;
  const widths = header.map((title, column) => Math.max(width(title), ...rows.map((row) => width(row[column] ?? ''))));
  const line = (row: readonly string[]) =>
    row
      .map((cell, column) =>
        column === row.length - 1 ? cell : cell + ' '.repeat((widths[column] ?? 0) - width(cell)),
      )
      .join('  ')
      .trimEnd();
  return [header, ...rows].map(line);
}
