import { beginning } from './clean.ts';

/** Text as Slack reads it, always within a limit that counts what is sent, not what is seen. */

/** For a place where Slack obeys `<!channel>`, `<@U123>` and `<http://…>`: there they are text. */
export function escaped(text: string, longest: number): string {
  return fit(text, longest, withEntities);
}

/** Inside backticks; there is no way to write one, so that an apostrophe stands for it. One line. */
export function code(text: string, longest: number): string {
  return `\`${fit(text.replace(/\s+/g, ' '), longest - 2, escapeCode) || ' '}\``;
}

/** A block of its own, line ends kept. */
export function codeBlock(text: string, longest: number): string {
  return `\`\`\`${fit(text, longest - 6, escapeCode) || ' '}\`\`\``;
}

/** A time in the reader's own time zone and language. */
export function dateToken(at: string): string {
  const ms = Date.parse(at);
  if (Number.isNaN(ms)) return 'at an unknown time';
  return `<!date^${Math.floor(ms / 1000)}^{date_short_pretty} {time}|${fallbackTime.format(ms)}>`;
}

// --- utils ---

const fallbackTime = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
});

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

function withEntities(text: string): string {
  return text.replace(/[&<>]/g, (character) => entities[character] ?? character);
}

function escapeCode(text: string): string {
  return withEntities(text).replaceAll('`', "'");
}

/** As much of the text as fits once it is escaped, with `…` where something is missing. Never cuts an entity. */
function fit(text: string, longest: number, write: (text: string) => string): string {
  const whole = write(text);
  if (whole.length <= longest) return whole;
  let kept = beginning(text, longest - 1);
  while (kept !== '') {
    const excess = write(kept).length + 1 - longest;
    if (excess <= 0) break;
    // An entity is at most five characters, so that a fifth of the excess is never too much to take away.
    kept = beginning(kept, kept.length - Math.ceil(excess / 5));
  }
  return `${write(kept)}…`;
}
