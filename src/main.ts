import { createOutput } from './cli/output.ts';
import { parse } from './cli/program.ts';
import { asLifeboatError, exitCodeFor, exitCodes } from './domain/errors.ts';
import { version } from './version.ts';

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () =>
      interrupt.abort(asLifeboatError(new DOMException(`interrupted by ${signal}`, 'AbortError'))),
    );
  }
  const invocation = parse(argv.length > 0 ? argv : ['--help'], version);
  if (!invocation) return exitCodes.ok;
  const output = createOutput(invocation.global);
  try {
    const { openApp } = await import('./app.ts');
    await using app = await openApp(output, interrupt.signal);
    const command = await invocation.load();
    return await command(app.commandContext, invocation.args, invocation.options);
  } catch (thrown) {
    return report(thrown, output.json);
  }
}

/** What happened, and what to do next; the exit code tells machines. */
function report(thrown: unknown, json: boolean): number {
  const error = asLifeboatError(thrown);
  if (json)
    process.stderr.write(
      `${JSON.stringify({ type: 'error', code: error.code, message: error.message, hint: error.hint })}\n`,
    );
  else process.stderr.write(`lifeboat: ${error.message}\n${error.hint ? `  ${error.hint}\n` : ''}`);
  // An unexpected error is a bug: its place in the code is worth more than a tidy screen.
  if (error.code === 'INTERNAL' && error.cause instanceof Error) process.stderr.write(`${error.cause.stack}\n`);
  return exitCodeFor(error);
}

process.exit(await main().catch((thrown: unknown) => report(thrown, process.argv.includes('--json'))));
