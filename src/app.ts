import type { CommandContext } from './cli/command.ts';
import type { Output } from './cli/output.ts';
import { createProgress } from './cli/progress.ts';
import { loadConfig } from './config/load.ts';
import { type Problem, problemText, startRefusal } from './config/problems.ts';
import { reapHelpers } from './docker/helper.ts';
import { goOn, startAgain } from './docker/quiesce.ts';
import { createRedactor } from './domain/redact.ts';
import { engines } from './engines/index.ts';
import { once } from './runs/context.ts';
import { type DiskJournal, openJournal } from './runs/journal.ts';
import { lockData } from './runs/lock.ts';
import { createOperations, type Operations } from './runs/operations.ts';
import { type Repaired, repair } from './runs/repair.ts';
import { openDestinations } from './wiring/destinations.ts';
import { type EngineLink, internalVariables, linkEngine } from './wiring/engine-link.ts';
import { createRunContext } from './wiring/run-context.ts';

/** Everything wired together. Nothing is connected, opened or locked before it is needed. */
export interface App extends AsyncDisposable {
  readonly commandContext: CommandContext;
}

export async function openApp(output: Output, signal: AbortSignal): Promise<App> {
  const redactor = createRedactor();
  const config = loadConfig({ environment: process.env, engines, redactor, internalVariables });
  const { settings } = config;
  const tell = createTeller((text) => output.say(redactor.redact(text)));
  tell(config.problems);
  const refusal = startRefusal(config.problems, settings.isStrict);
  if (refusal) throw refusal;
  process.env.TZ = settings.timezone;

  const progress = createProgress(output);
  const engine = once(() => linkEngine(settings, process.env));
  const journal = openJournal(`${settings.dataDir}/journal`, () => new Date());
  const context = createRunContext({
    config,
    engine,
    destinations: once(() => openDestinations(settings, signal)),
    journal,
    emit: progress,
    tell,
  });
  const held = new AsyncDisposableStack();
  const prepare = once(async () => {
    held.use(await lockData(settings.dataDir, 'a command', new Date()));
    const repaired = await putBack(await engine(), journal);
    for (const line of repaired.done) output.say(`put back after an interruption: ${line}`);
    for (const line of repaired.open) output.say(`! after an interruption: ${line}`);
  });
  const stack = once(async () => settings.name ?? (await engine()).projects[0] ?? 'host');
  return {
    commandContext: {
      operations: preparing(createOperations(context, stack), prepare),
      output,
      signal,
      isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true && !output.json,
      restore: { delayMs: settings.restoreDelayMs, requireConfirm: settings.requireConfirm },
      now: () => new Date(),
    },
    [Symbol.asyncDispose]: async () => {
      progress.end();
      await held.disposeAsync();
    },
  };
}

/** Puts back what an earlier process left: helpers of ours, stopped and paused containers. */
async function putBack({ api, owner }: EngineLink, journal: DiskJournal): Promise<Repaired> {
  await reapHelpers(api, owner.id);
  return repair(journal, { startAgain: (role) => startAgain(api, role), goOn: (role) => goOn(api, role) });
}

/** What changes something first takes the one right to write; what only reads does not wait for it. */
function preparing(operations: Operations, prepare: () => Promise<void>): Operations {
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
  };
}

/** Tells each problem once, however often the configuration of a service is read. */
function createTeller(say: (text: string) => void): (problems: readonly Problem[]) => void {
  const told = new Set<string>();
  return (problems) => {
    for (const text of problems.map(problemText)) {
      if (told.has(text)) continue;
      told.add(text);
      say(text);
    }
  };
}
