import { visible } from '../domain/grammar.ts';
import type { Redactor } from '../domain/redact.ts';

const longestName = 120;
const longestText = 2000;
/** Enough to see what happened; whoever needs more looks into the log. */
const mostLines = 15;
const firstLines = 5;

/** Makes texts from anywhere fit to be told. */
export interface Cleaner {
  /** One line: names of services, destinations, hosts. */
  name(text: string): string;
  /** An error message or a hint: at most 15 lines. */
  text(text: string): string;
}

/** Takes out secrets first: in a text that was cut or escaped they could no longer be recognised. */
export function createCleaner(redactor: Redactor): Cleaner {
  const whole = (text: string) => visible(redactor.redact(text).replaceAll('\t', '  '));
  return {
    name: (text) => clip(whole(text), longestName),
    text: (text) => {
      // Line ends are made visible last: a secret may span lines.
      const lines = redactor
        .redact(text)
        .trim()
        .split(/\r\n|\r|\n/)
        .map((line) => visible(line.replaceAll('\t', '  ')));
      return clip(fewLines(lines).join('\n'), longestText) || 'no reason given';
    },
  };
}

/**
 * At most this many UTF-16 units. The beginning says what failed and the end how, so the middle is what goes. Never cuts
 * a character in half.
 */
export function clip(text: string, longest: number): string {
  if (text.length <= longest) return text;
  const mark = ' … ';
  const head = Math.ceil(((longest - mark.length) * 2) / 3);
  const tail = longest - mark.length - head;
  return `${beginning(text, head)}${mark}${tail > 0 ? end(text, tail) : ''}`;
}

/** The first units of a text, without half a character at the end. */
export function beginning(text: string, longest: number): string {
  return text.slice(0, Math.max(0, longest)).replace(/[\ud800-\udbff]$/, '');
}

// --- utils ---

function end(text: string, longest: number): string {
  return text.slice(-longest).replace(/^[\udc00-\udfff]/, '');
}

function fewLines(lines: readonly string[]): readonly string[] {
  if (lines.length <= mostLines) return lines;
  const last = mostLines - firstLines - 1;
  return [...lines.slice(0, firstLines), `… ${lines.length - firstLines - last} lines …`, ...lines.slice(-last)];
}
