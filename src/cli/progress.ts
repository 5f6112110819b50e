import { shortId } from '../domain/naming.ts';
import { type CopiedBackup, type Emit, type RunEvent, type SourceResult, stepWords } from '../domain/run-event.ts';
import { createEventNamer } from '../domain/source-names.ts';
import { bytes, clean, duration, type Output } from './output.ts';
import { createPace } from './pace.ts';

const plainEveryMs = 10_000;

/** Shows a run: one line that moves on a terminal, plain lines elsewhere, JSON Lines for machines. */
export function createProgress(output: Output): Emit & { end(): void } {
  if (output.progress === 'json') return Object.assign(jsonLines(output), { end: () => {} });
  const isLive = output.progress === 'tty';
  const pace = createPace();
  const nameOf = createEventNamer();
  /** Runs in which a backup is only taken to be able to go back. */
  const restores = new Set<string>();
  let shown = false;
  let lastPlain = 0;
  const clear = () => {
    if (shown) process.stderr.write('\r\u001b[K');
    shown = false;
  };
  const live = (line: string) => {
    if (!isLive) return;
    clear();
    process.stderr.write(clean(line).slice(0, (process.stderr.columns ?? 80) - 1));
    shown = true;
  };
  const show = (event: RunEvent) => {
    const source = nameOf(event);
    if (event.type === 'step.started') {
      const line = `… ${[source, stepWords[event.step], event.detail].filter(Boolean).join(' ')}`;
      if (output.verbose) {
        clear();
        output.say(line);
      } else live(line);
    } else if (event.type === 'progress') {
      const line = `… ${source} ${stepWords[event.step]} ${pace(event)}`;
      live(line);
      if (output.progress === 'plain' && performance.now() - lastPlain > plainEveryMs) {
        lastPlain = performance.now();
        output.say(line);
      }
    } else if (event.type === 'warning') {
      clear();
      output.say(
        `${output.paint('yellow', '!')} ${source ? `${source}: ` : ''}${event.message}${event.hint ? ` – ${event.hint}` : ''}`,
      );
    } else if (event.type === 'source.finished') {
      clear();
      // What a verify run found out is its result, not a message on the way.
      if (!event.result.verified) {
        const what = restores.has(event.run) ? 'safety backup ' : '';
        const name = output.paint('bold', source ?? event.source);
        const lines = event.result.copied
          ? copiedLines(output, event.result, event.result.copied, name)
          : resultLines(output, event.result, name, what);
        for (const line of lines) output.say(line);
      }
    } else if (event.type === 'run.started') {
      lastPlain = performance.now();
      if (event.trigger === 'restore') restores.add(event.run);
    } else if (event.type === 'run.finished') {
      restores.delete(event.run);
    }
  };
  return Object.assign(show, { end: clear });
}

/** Beside results for machines they are part of them; beside results for people they are messages. */
function jsonLines(output: Output): Emit {
  return output.json
    ? (event) => output.data(event)
    : (event) => void process.stderr.write(`${JSON.stringify(event)}\n`);
}

function copiedLines(output: Output, result: SourceResult, { to, foundBytes }: CopiedBackup, name: string): string[] {
  const id = shortId(result.backup ?? '');
  if (result.error) {
    const hint = result.error.hint ? [`    ${result.error.hint}`] : [];
    return [`${output.paint('red', '✖')} ${name}  ${id} not copied to ${to}: ${result.error.message}`, ...hint];
  }
  const found = foundBytes > 0 ? `, ${bytes(foundBytes)} of it was there already` : '';
  const size = bytes(result.storedBytes ?? 0);
  return [`${output.paint('green', '✔')} ${name}  ${id} to ${to}  ${size} in ${duration(result.durationMs)}${found}`];
}

function resultLines(output: Output, result: SourceResult, name: string, what: string): string[] {
  if (!result.backup) {
    const hint = result.error?.hint ? [`    ${result.error.hint}`] : [];
    return [`${output.paint('red', '✖')} ${name}  ${result.error?.message ?? result.result}`, ...hint];
  }
  const sizes = `${bytes(result.plainBytes ?? 0)} → ${bytes(result.storedBytes ?? 0)}`;
  const lost = result.destinations?.filter((destination) => destination.result === 'failed') ?? [];
  const mark =
    result.result === 'failed'
      ? output.paint('red', '✖')
      : lost.length > 0 || result.result === 'partial'
        ? output.paint('yellow', '!')
        : output.paint('green', '✔');
  const id = shortId(result.backup);
  return [
    `${mark} ${name}  ${what}${id}  ${sizes} in ${duration(result.durationMs)}`,
    ...(result.result === 'partial' && result.error
      ? [`    ${result.error.message}`, ...(result.error.hint ? [`    ${result.error.hint}`] : [])]
      : []),
    ...lost.flatMap(({ name: destination, error }) => [
      `    not in ${destination}: ${error?.message ?? 'unknown reason'}${error?.hint ? ` – ${error.hint}` : ''}`,
      `    once that is mended: copy ${id} --to ${destination}`,
    ]),
  ];
}
