import { escaped } from './slack-text.ts';

/** The few pieces of Slack's Block Kit that messages are made of. Plain texts are escaped here, markdown is not. */

const longestHeader = 150;

/** What Slack's incoming webhooks take. */
export interface SlackPayload {
  /** Shown where blocks are not: on a lock screen, in a search result. */
  readonly text: string;
  readonly unfurl_links: false;
  readonly unfurl_media: false;
  readonly blocks: readonly SlackBlock[];
}

/** The kinds of blocks in use, in Slack's own words. */
export type SlackBlock =
  | { readonly type: 'header'; readonly text: Plain }
  | { readonly type: 'section'; readonly text: Markdown }
  | { readonly type: 'section'; readonly fields: readonly Markdown[] }
  | { readonly type: 'context'; readonly elements: readonly Markdown[] };

interface Plain {
  readonly type: 'plain_text';
  readonly text: string;
  readonly emoji: false;
}

interface Markdown {
  readonly type: 'mrkdwn';
  readonly text: string;
  /** Bare URLs, names and channels in our texts stay text. */
  readonly verbatim: true;
}

export function header(text: string): SlackBlock {
  return { type: 'header', text: { type: 'plain_text', text: escaped(text, longestHeader), emoji: false } };
}

export function section(text: string): SlackBlock {
  return { type: 'section', text: markdown(text) };
}

export function field(name: string, text: string): Markdown {
  return markdown(`*${name}*\n${text}`);
}

export function markdown(text: string): Markdown {
  return { type: 'mrkdwn', text, verbatim: true };
}
