import { asLifeboatError, exitCodeFor, exitCodes, LifeboatError } from './domain/errors.ts';

/** How long a process that met an unexpected error gets to put things back. */
const lastWishMs = 30_000;

async function main(argv: readonly string[]): Promise<number> {
  // What the image itself calls should cost next to nothing.
  const called = argv.length === 1 ? argv[0] : undefined;
  if (called === 'healthcheck') return (await import('./cli/healthcheck.ts')).healthcheck();
  const interrupt = new AbortController();
  const crash = listenForTheEnd(interrupt, called !== 'daemon');
  if (called === 'daemon') return (await import('./wiring/daemon.ts')).runDaemon(process.env, interrupt.signal);

  const [{ createOutput }, { parse }, { version }] = await Promise.all([
    import('./cli/output.ts'),
    import('./cli/program.ts'),
    import('./version.ts'),
  ]);
  const invocation = parse(argv, version);
  if (!invocation) return exitCodes.ok;
  const { global } = invocation;
  const output = createOutput(global);
  try {
    const { perform } = await import('./app.ts');
    const exitCode = await perform(invocation, {
      output,
      signal: interrupt.signal,
      isInteractive: global.input && !output.json && process.stdin.isTTY === true && process.stderr.isTTY === true,
      assumesYes: global.yes,
      version,
      now: () => new Date(),
      configuration: async () => (await import('./wiring/configuration.ts')).configuration,
    });
    return crash.hasHappened() ? exitCodes.failed : exitCode;
  } catch (thrown) {
    return crash.hasHappened() ? exitCodes.failed : report(thrown, argv);
  }
}

/**
 * The first signal ends what goes on in good order: what was stopped is started, drafts are removed. The second ends at
 * once. An error that nobody caught does as the first signal does, and then the process fails: going on is not safe.
 */
function listenForTheEnd(interrupt: AbortController, reports: boolean): { hasHappened(): boolean } {
  let crashed = false;
  for (const [signal, code] of [
    ['SIGHUP', 129],
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) process.exit(crashed ? exitCodes.failed : code);
      interrupt.abort(new LifeboatError('CANCELLED', `interrupted by ${signal}`));
    });
  }
  const fail = (thrown: unknown) => {
    if (crashed) return;
    crashed = true;
    const error = new LifeboatError('INTERNAL', `unexpected error: ${asLifeboatError(thrown).message}`, {
      cause: thrown,
    });
    interrupt.abort(error);
    // The daemon writes it to its log.
    if (reports) report(error, process.argv);
    setTimeout(() => process.exit(exitCodes.failed), lastWishMs).unref();
  };
  process.on('uncaughtException', fail);
  process.on('unhandledRejection', fail);
  return { hasHappened: () => crashed };
}

/** What happened, and what to do next; the exit code tells machines. */
function report(thrown: unknown, argv: readonly string[]): number {
  const error = asLifeboatError(thrown);
  if (argv.includes('--json'))
    process.stderr.write(
      `${JSON.stringify({ type: 'error', code: error.code, message: error.message, hint: error.hint })}\n`,
    );
  else process.stderr.write(`lifeboat: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`);
  // An unexpected error is a bug: its place in the code is worth more than a tidy screen.
  const isVerbose = argv.includes('-v') || argv.includes('--verbose');
  for (let cause: unknown = isVerbose ? error : undefined; cause instanceof Error; cause = cause.cause)
    process.stderr.write(`${cause.stack}\n`);
  if (!isVerbose && error.code === 'INTERNAL' && error.cause instanceof Error)
    process.stderr.write(`${error.cause.stack}\n`);
  return exitCodeFor(error);
}

// Whoever read our output may have left (`lifeboat list | head`), and the daemon outlives its log.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
const argv = process.argv.slice(2);
const exitCode = await main(argv).catch((thrown: unknown) => report(thrown, argv));
// What a pipe did not take at once would be lost with this process: it holds 64 KiB, a long list is more.
await Promise.all([process.stdout, process.stderr].map((stream) => new Promise((done) => stream.write('', done))));
process.exit(exitCode);
