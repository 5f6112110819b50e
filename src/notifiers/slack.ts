import type { Message, Notifier } from './notifier.ts';
import { assertTaken, type Post } from './post.ts';
import { slackPayload } from './slack-blocks.ts';

/** What an incoming webhook of Slack needs. */
export interface SlackOptions {
  readonly name: string;
  readonly url: URL;
  readonly post: Post;
  readonly userAgent: string;
}

/** An incoming webhook of Slack, or of anything that understands its format (Mattermost, Discord's `/slack`). */
export function createSlack({ name, url, post, userAgent }: SlackOptions): Notifier {
  const headers = { 'content-type': 'application/json', 'user-agent': userAgent };
  const send = (payload: object, signal: AbortSignal) => post({ url, headers, body: JSON.stringify(payload) }, signal);
  return {
    name,
    notify: async (message: Message, signal: AbortSignal) => {
      const { blocks, ...plain } = slackPayload(message);
      let answer = await send({ ...plain, blocks }, signal);
      // Better one plain line than an alarm that is lost because a layout was not liked.
      if (answer.status === 400) answer = await send(plain, signal);
      assertTaken(answer, url.host);
    },
  };
}
