import { shellQuote, shortId } from '../domain/naming.ts';
import type { SourceName } from '../domain/types.ts';
import type { MessageType } from './notifier.ts';
import type { EndedSource, Outcome } from './outcome.ts';

/** More names do not fit into a line; the command without names means all. */
const mostTargets = 3;

/** What is typed before a command of ours. */
const call = 'docker exec sidecar';

/**
 * The one command that helps now, as typed on the host; undefined when a name in it cannot be shown as it is. `about` are
 * the sources of a run that the channel hears of; `isShowable` tells whether a name reads in a message exactly as it is:
 * nothing was taken out, escaped or cut.
 */
export function commandFor(
  outcome: Outcome,
  type: MessageType,
  about: readonly EndedSource[],
  isShowable: (name: string) => boolean,
): string | undefined {
  const line = (command: string, sources: readonly SourceName[]): string | undefined => {
    if (sources.length > mostTargets) return `${call} ${command}`;
    return sources.every(isShowable) ? [call, command, ...sources.map(shellQuote)].join(' ') : undefined;
  };
  switch (outcome.kind) {
    case 'backup': {
      const isBad = type === 'run.failed' || type === 'run.degraded';
      const bad = about.filter(({ result }) => ['failed', 'partial', 'degraded'].includes(result));
      const [command, sources] = isBad ? ['backup', bad] : ['list', about.length > 1 ? [] : about];
      return line(
        command,
        sources.map(({ source }) => source),
      );
    }
    case 'restore': {
      const { result, source, safety } = outcome;
      if (result !== 'ok') return line('list', [source]);
      // Whoever wants a restore undone is in a hurry.
      const undo = line('restore', [source]);
      return undo && safety && `${undo} --at ${shortId(safety)}`;
    }
    case 'config':
      return line('plan', []);
    case 'channel':
      // Nothing on the command line makes a receiver answer.
      return undefined;
  }
}
