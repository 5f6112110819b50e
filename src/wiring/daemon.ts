import type { Config } from '../config/load.ts';
import { type Problem, startRefusal } from '../config/problems.ts';
import { createClockwork } from '../daemon/clockwork.ts';
import { liveAsDaemon } from '../daemon/daemon.ts';
import { createDestinationKeeper } from '../daemon/destination-keeper.ts';
import { createEngineKeeper, type EngineDoor, type EngineKeeper } from '../daemon/engine-keeper.ts';
import { readHealth } from '../daemon/health.ts';
import { createHandler } from '../daemon/routes.ts';
import { listen } from '../daemon/server.ts';
import { watchContainers } from '../docker/events.ts';
import type { Check } from '../domain/check.ts';
import { asLifeboatError, exitCodes } from '../domain/errors.ts';
import { failureFields, type Log } from '../domain/log.ts';
import { controlSocketVariable, usualControlSocket } from '../domain/wire.ts';
import { createLog } from '../log.ts';
import { cleanTexts } from '../runs/clean-texts.ts';
import { cleanedOperations } from '../runs/cleaned-operations.ts';
import { lockData } from '../runs/control/lock.ts';
import { openHistory, type SourceKey } from '../runs/history/history.ts';
import { createLogReader } from '../runs/history/log-reader.ts';
import { failureOf } from '../runs/history/run-log.ts';
import { createOperations, type Operations } from '../runs/operations.ts';
import { createScheduler } from '../runs/schedule/scheduler.ts';
import { version } from '../version.ts';
import { problemsOf, serviceChoices } from './configuration.ts';
import type { EngineLink } from './engine-link.ts';
import { createExaminations } from './examinations.ts';
import { examineEngine } from './examine-engine.ts';
import { createNotifications } from './notifications.ts';
import { acceptConfig, createWorld, readConfig, tellOnce, type World } from './world.ts';

/** Runs the daemon until the signal fires; resolves with the exit code: 0 when it was told to end, 1 when it had to. */
export async function runDaemon(environment: NodeJS.ProcessEnv, stop: AbortSignal): Promise<number> {
  const socketPath = environment[controlSocketVariable] || usualControlSocket;
  const now = () => new Date();
  const read = readConfig(environment);
  const { settings, problems } = read.config;
  const log = createLog({
    level: settings.logLevel,
    format: settings.logFormat,
    redactor: read.redactor,
    write: (line) => void process.stdout.write(line),
  });
  const tell = tellOnce((problem) => logProblem(log, problem));
  tell(problems);
  acceptConfig(read.config);
  const complain = (message: string, error?: unknown) => log.warn(message, error === undefined ? {} : { error });

  await using held = new AsyncDisposableStack();
  held.use(await lockData(settings.dataDir, 'the daemon', now()));
  const world = createWorld({
    ...read,
    tell: (found) => {
      tell(found);
      notifications.configuration([...problems, ...found]);
    },
    complain,
  });
  // Strict means that nothing is left to chance: labels that cannot be read now are no reason to go on either.
  if (settings.isStrict) await acceptServices(read.config, await world.engine(), tell, stop);
  const { control, bus, context, journal, destinations } = world;
  const history = held.use(openHistory({ path: `${settings.dataDir}/history.sqlite`, now, complain }));
  bus.subscribe(createLogReader(log));
  bus.subscribe(history);

  const scheduler = createScheduler({ timezone: settings.timezone, jitterMs: settings.jitterMs, history });
  const engine = createEngineKeeper({
    engine: engineDoor(world),
    journal,
    log,
    changed: () => clockwork.changed(),
    foundOpen: (each) => notifications.leftOpen(each),
    returned: () => clockwork.retry(),
    examine: async (signal) => {
      for (const check of await examineEngine(settings, environment, signal)) logCheck(log, check);
    },
  });
  const find = ({ stack, source }: SourceKey) =>
    world.resolved()?.sources.find((known) => known.stack === stack && known.name === source);
  const notifications = held.use(
    createNotifications({
      settings,
      redactor: read.redactor,
      log,
      history,
      nextRunAt: (source) => scheduler.next(source)?.toISOString(),
      channelsOf: (source) => find(source)?.settings.notify,
      host: () => world.host(),
      stack: () => settings.name ?? world.resolved()?.sources[0]?.stack ?? 'this stack',
    }),
  );
  // After the history, which is asked for the last good backup.
  bus.subscribe(notifications);
  const clockwork = createClockwork({
    scheduler,
    context,
    control,
    log,
    enter: () => engine.enter(),
    runOnStart: settings.runOnStart,
  });
  const destinationKeeper = createDestinationKeeper({ destinations, log });
  const organs = [engine, destinationKeeper, clockwork];
  const health = () => cleanTexts(readHealth(organs), world.clean);
  const faults = problems.filter(({ severity }) => severity === 'error').map(toFailure);
  const examinations = createExaminations(read.config, environment, world.engine);
  const status = { history, schedule: scheduler, problems: () => [...health().problems, ...faults], journal };
  const operations = cleanedOperations(
    entering(createOperations({ ...world, status, examinations }), engine),
    world.clean,
  );
  const { restoreDelayMs: delayMs, requireConfirm, timezone } = settings;
  const hello = { lifeboat: version, timezone, restore: { delayMs, requireConfirm } };
  held.use(await listen(socketPath, createHandler({ operations, bus, hello, log, health, stop, now })));
  log.info(`Lifeboat ${version} is up; times are those of ${timezone}`);

  await liveAsDaemon(
    {
      engine,
      destinations: destinationKeeper,
      clockwork,
      control,
      history,
      log,
      now,
      teach: async (signal) => history.learn(await newestBackups(world, log, signal)),
    },
    stop,
  );
  return farewell(log, stop.reason);
}

// --- utils ---

/** Tells what is wrong with what was written about services. Throws when that is anything at all. */
async function acceptServices(
  config: Config,
  link: EngineLink,
  tell: (problems: readonly Problem[]) => void,
  signal: AbortSignal,
): Promise<void> {
  const problems = problemsOf(config, await serviceChoices(config, link, signal));
  tell(problems);
  const refusal = startRefusal(problems, true);
  if (refusal) throw refusal;
}

/** What makes helpers or stops containers waits until what an earlier process left is put back. */
function entering(operations: Operations, engine: EngineKeeper): Operations {
  const inside = async <T>(act: () => Promise<T>) => {
    using _inside = await engine.enter();
    return await act();
  };
  return {
    ...operations,
    plan: (signal) => inside(() => operations.plan(signal)),
    backup: (ask, signal) => inside(() => operations.backup(ask, signal)),
    planRestore: (ask, signal) => inside(() => operations.planRestore(ask, signal)),
    restore: (ask, signal) => inside(() => operations.restore(ask, signal)),
    // What these need no Engine for they do without.
    doctor: async (signal) => {
      using _inside = await engine.enter().catch(() => undefined);
      return await operations.doctor(signal);
    },
    verify: async (ask, signal) => {
      using _inside = await engine.enter().catch(() => undefined);
      return await operations.verify(ask, signal);
    },
  };
}

function engineDoor(world: World): EngineDoor {
  return {
    putBack: () => world.putBack(),
    watch: async (watch, signal) => {
      const { api } = await world.engine();
      await watchContainers(api, watch, signal);
    },
  };
}

/** The newest backup of each source, wherever it lies; what cannot be read now is left out. */
async function newestBackups({ destinations }: World, log: Log, signal: AbortSignal) {
  const found = await Promise.all(
    destinations.map(({ name, catalog }) =>
      catalog.newest({}, signal).catch((error: unknown) => {
        const failure = failureOf(error);
        const message = `the run history begins without it: ${failure.message}`;
        log.warn(message, { destination: name, ...failureFields(failure) });
        return [];
      }),
    ),
  );
  return found.flat();
}

function logProblem(log: Log, { severity, message, hint }: Problem): void {
  log[severity === 'error' ? 'error' : 'warn'](`configuration: ${message}`, { hint });
}

/** What the Engine, or a proxy before it, does not let us do; what it does is for the debug log. */
function logCheck(log: Log, { status, name, message, hint }: Check): void {
  if (status === 'pass') log.debug(`self-test: ${name}: ${message}`);
  else log.warn(`self-test: ${name}: ${message}`, { hint });
}

function toFailure({ message, hint }: Problem) {
  return { code: 'CONFIG_INVALID', message, hint };
}

function farewell(log: Log, reason: unknown): number {
  const { code, message, cause } = asLifeboatError(reason);
  if (code === 'CANCELLED') {
    log.info(`Lifeboat has ended: ${message}`);
    return exitCodes.ok;
  }
  log.error(`Lifeboat has ended: ${message}`, { error: cause ?? reason });
  return exitCodes.failed;
}
