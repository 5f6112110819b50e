import { connectDaemon } from './cli/client.ts';
import type { CommandContext } from './cli/command.ts';
import type { Output } from './cli/output.ts';
import { createProgress } from './cli/progress.ts';
import { controlSocketVariable, usualControlSocket } from './domain/wire.ts';

/** A command's surroundings, wired. */
export interface App extends AsyncDisposable {
  readonly commandContext: CommandContext;
}

/**
 * Where there is a daemon, commands are its clients and load next to nothing; where there is none, the same operations run
 * in this process. What either needs is imported only then.
 */
export async function openApp(output: Output, signal: AbortSignal): Promise<App> {
  const socketPath = process.env[controlSocketVariable] || usualControlSocket;
  const progress = createProgress(output);
  const held = new AsyncDisposableStack();
  held.defer(() => progress.end());
  const say = (line: string) => {
    progress.end();
    output.say(line);
  };
  const surroundings = {
    output,
    signal,
    isInteractive: process.stdin.isTTY === true && process.stderr.isTTY === true && !output.json,
    now: () => new Date(),
  };
  const app = (rest: Pick<CommandContext, 'operations' | 'restore'>): App => ({
    commandContext: { ...surroundings, ...rest },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  });
  const onInterrupt = process.stderr.isTTY === true ? 'detach' : 'cancel';
  const client = await connectDaemon({ socketPath, emit: progress, onInterrupt, say });
  if (client) {
    process.env.TZ = client.hello.timezone;
    return app({ operations: client.operations, restore: client.hello.restore });
  }
  const { openInPlace } = await import('./wiring/in-place.ts');
  return app(held.use(await openInPlace(output, progress)));
}
