import { connectDaemon } from './cli/client.ts';
import type { CommandContext, Surroundings } from './cli/command.ts';
import type { Invocation } from './cli/program.ts';
import { createProgress } from './cli/progress.ts';
import { controlSocketVariable, usualControlSocket } from './domain/wire.ts';

/** Does what argv asks for; resolves with the exit code. What a command does not need is not loaded. */
export async function perform({ does, args, options }: Invocation, surroundings: Surroundings): Promise<number> {
  if ('alone' in does) return (await does.alone())(surroundings, args, options);
  if ('reads' in does) {
    const { openToRead } = await import('./wiring/in-place.ts');
    const command = await does.reads();
    const { destinations, safely } = openToRead(surroundings.output);
    return safely(() => command({ ...surroundings, destinations: async () => destinations }, args, options));
  }
  await using app = await openApp(surroundings);
  const command = await does.load();
  return await command(app.commandContext, args, options);
}

/** A command's context, wired. */
interface App extends AsyncDisposable {
  readonly commandContext: CommandContext;
}

/**
 * Where there is a daemon, commands are its clients and load next to nothing; where there is none, the same operations run
 * in this process. What either needs is imported only then.
 */
async function openApp(surroundings: Surroundings): Promise<App> {
  const { output } = surroundings;
  const socketPath = process.env[controlSocketVariable] || usualControlSocket;
  const progress = createProgress(output);
  const held = new AsyncDisposableStack();
  held.defer(() => progress.end());
  const say = (line: string) => {
    progress.end();
    output.say(line);
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
