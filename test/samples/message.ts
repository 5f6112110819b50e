import { createRedactor } from '../../src/domain/redact.ts';
import { createCleaner } from '../../src/notifiers/clean.ts';
import { composeMessage } from '../../src/notifiers/message.ts';
import type { Message } from '../../src/notifiers/notifier.ts';
import type { EndedSource, Facts, Outcome } from '../../src/notifiers/outcome.ts';
import { judge, type Listener } from '../../src/notifiers/policy.ts';
import { degradedSource, endedSource, failedSource, finishedRun, goodSource, sampleFacts } from './outcome.ts';

/** The messages that reach a channel. */

const listener: Listener = { name: 'test', on: ['failure', 'recovered', 'config-problem', 'success'] };

/** The message about an outcome as a channel that hears of everything gets it. */
export function messageAbout(
  outcome: Outcome,
  { facts = sampleFacts, secrets = [], before = [], id = 'msg_1' }: MessageOptions = {},
): Message {
  const redactor = createRedactor();
  for (const secret of secrets) redactor.add(secret);
  const state = before.reduce((known, earlier) => judge(known, earlier, [], () => true).state, {});
  const { tellings } = judge(state, outcome, [listener], () => true);
  const [telling] = tellings;
  if (!telling) throw new Error('nothing is told of this outcome');
  return composeMessage(outcome, telling, { id, facts, cleaner: createCleaner(redactor), hears: () => true });
}

interface MessageOptions {
  readonly facts?: Facts;
  readonly secrets?: readonly string[];
  readonly before?: readonly Outcome[];
  readonly id?: string;
}

const restore = {
  kind: 'restore',
  run: '20261121-070000-t2t2t2',
  stack: 'shop',
  source: 'db/postgres',
  startedAt: '2026-11-21T07:00:00.000Z',
  finishedAt: '2026-11-21T07:03:00.000Z',
} as const;

/** One message of each kind. */
export const everyMessage: readonly Message[] = [
  messageAbout(finishedRun([goodSource()])),
  messageAbout(finishedRun([failedSource()])),
  messageAbout(finishedRun([degradedSource(), goodSource({ source: 'app/files' })])),
  messageAbout(finishedRun([goodSource()]), { before: [finishedRun([failedSource()])] }),
  messageAbout(finishedRun([], { result: 'failed', error: { code: 'DOCKER_UNAVAILABLE', message: 'no Engine' } })),
  messageAbout({ ...restore, result: 'ok', safety: '20261121-070000-s4f3t2' }),
  messageAbout({
    ...restore,
    result: 'failed',
    step: 'switch',
    error: { code: 'RESTORE_FAILED', message: 'no space' },
  }),
  messageAbout({
    kind: 'config',
    at: '2026-11-21T03:00:00.000Z',
    problems: [{ where: 'label lifeboat.keeep on db', message: 'unknown key', hint: 'did you mean lifeboat.keep?' }],
  }),
  messageAbout({ kind: 'channel', at: '2026-11-21T03:00:00.000Z', channel: 'slack', message: 'no answer' }),
];

const hostileLines = [
  '<!channel> <@U123> <https://evil.example|click> & ``` `x` *b* _i_',
  '\u001b[31mred\u001b[0m \u0000 \u202e rtl \u200b zero \ud800 lone',
  '"quotes" \\ back \\u0041 </script> 密码 🔑'.repeat(3),
  '&<>`'.repeat(1_000),
  '🔑'.repeat(1_000),
  '\n'.repeat(500),
];

/** 100 kB of everything that is read as something else somewhere. */
export const hostileText = [...hostileLines, 'x'.repeat(100_000), 'the end'].join('\n');

/** Sources whose every text is as bad as can be, the first ones also very long. */
export function hostileSources(count: number): readonly EndedSource[] {
  return Array.from({ length: count }, (_, i) => {
    const bad = i < 2 ? hostileText : hostileLines.join('\n');
    const error = { code: bad, message: `${i} ${bad}`, hint: bad };
    return endedSource({
      stack: `sh&op <!channel> ${bad}`,
      source: `svc${i} ${bad}/post\`gres<!here>`,
      result: i % 3 === 0 ? 'degraded' : 'failed',
      step: 'dump',
      error,
      ...(i % 3 === 0 ? { backup: '20261121-030000-k3f9a2', plainBytes: 1, storedBytes: 1 } : {}),
      destinations: Array.from({ length: 6 }, (__, d) => ({
        name: `dest${d} ${bad}`,
        result: d % 2 === 0 ? 'ok' : 'failed',
        ...(d % 2 === 0 ? {} : { error }),
      })),
    });
  });
}
