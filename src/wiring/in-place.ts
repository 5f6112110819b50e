import type { CommandContext } from '../cli/command.ts';
import type { Output } from '../cli/output.ts';
import { problemText } from '../config/problems.ts';
import type { LifeboatError } from '../domain/errors.ts';
import type { Emit } from '../domain/run-event.ts';
import { cleanedOperations, withCleanErrors } from '../runs/cleaned-operations.ts';
import { once } from '../runs/context.ts';
import { lockData } from '../runs/control/lock.ts';
import { openHistory } from '../runs/history/history.ts';
import { lookIntoHistory } from '../runs/history/history-view.ts';
import { unrepairedText } from '../runs/journal/repair.ts';
import { createOperations, type Operations } from '../runs/operations.ts';
import { createDestinations } from './destinations.ts';
import { createExaminations } from './examinations.ts';
import { acceptConfig, createWorld, readConfig, refusalOf, tellOnce } from './world.ts';

/** The operations done in this process, and what its settings say about commands. */
export interface InPlace extends AsyncDisposable {
  readonly operations: Operations;
  readonly restore: CommandContext['restore'];
}

/** Opens Lifeboat where no daemon answers. The lock on the data folder is taken by the first command that changes something. */
export async function openInPlace(output: Output, progress: Emit): Promise<InPlace> {
  const read = readConfig(process.env);
  const { settings, problems } = read.config;
  const tell = tellOnce((problem) => output.say(read.redactor.redact(problemText(problem))));
  tell(problems);
  const refusal = refusalOf(read.config);
  process.env.TZ = settings.timezone;

  const complain = (message: string, error?: unknown) =>
    output.say(read.redactor.redact(`! ${message}${error === undefined ? '' : `: ${String(error)}`}`));
  const world = createWorld({ ...read, tell, complain });
  world.bus.subscribe({ name: 'progress', read: progress });
  const historyFile = `${settings.dataDir}/history.sqlite`;
  const held = new AsyncDisposableStack();
  const locked = once(async () => {
    held.use(await lockData(settings.dataDir, 'a command', new Date()));
    const history = held.use(openHistory({ path: historyFile, now: () => new Date(), complain }));
    world.bus.subscribe(history);
  });
  const putBack = once(async () => {
    const repaired = await world.putBack();
    for (const line of repaired.done) output.say(`put back after an interruption: ${line}`);
    for (const each of repaired.open) output.say(`! after an interruption: ${unrepairedText(each)}`);
  });
  const examinations = createExaminations(read.config, process.env, world.engine);
  const status = { history: lookIntoHistory(historyFile, complain), problems: () => [], journal: world.journal };
  const operations = preparing(createOperations({ ...world, status, examinations }), locked, putBack);
  return {
    operations: cleanedOperations(refusal ? onlyDoctor(operations, refusal) : operations, world.clean),
    restore: { delayMs: settings.restoreDelayMs, requireConfirm: settings.requireConfirm },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

/** The destinations of this environment, for a command that only reads them. */
export function openToRead(output: Output) {
  const read = readConfig(process.env);
  tellOnce((problem) => output.say(read.redactor.redact(problemText(problem))))(read.config.problems);
  acceptConfig(read.config);
  return {
    destinations: createDestinations({
      settings: read.config.settings,
      owner: () => 'a command that only reads',
      tell: (message) => output.say(read.redactor.redact(`! ${message}`)),
    }),
    /** Takes secrets out of what it says when it fails. */
    safely: <T>(act: () => Promise<T>) => withCleanErrors(act, (text) => read.redactor.redact(text)),
  };
}

/** With a configuration that nothing can be done with, it can still be looked at. */
function onlyDoctor(operations: Operations, refusal: LifeboatError): Operations {
  const refuse = async () => {
    throw refusal;
  };
  const refused = Object.fromEntries(Object.keys(operations).map((name) => [name, refuse]));
  return { ...(refused as unknown as Operations), doctor: operations.doctor };
}

/** What changes something first takes the one right to write; what only reads does not wait for it. */
function preparing(operations: Operations, locked: () => Promise<void>, putBack: () => Promise<void>): Operations {
  const prepare = async () => {
    await locked();
    await putBack();
  };
  return {
    ...operations,
    backup: async (ask, signal) => {
      await prepare();
      return operations.backup(ask, signal);
    },
    restore: async (ask, signal) => {
      await prepare();
      return operations.restore(ask, signal);
    },
    verify: async (ask, signal) => {
      await locked();
      // Checksums need no Engine; what it cannot do then is told in the report.
      await putBack().catch(() => {});
      return operations.verify(ask, signal);
    },
    // Needs no Engine at all.
    copy: async (ask, signal) => {
      await locked();
      return operations.copy(ask, signal);
    },
  };
}
