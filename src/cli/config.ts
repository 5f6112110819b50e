import { exitCodes, LifeboatError } from '../domain/errors.ts';
import { many } from '../domain/many.ts';
import type { LoneCommand } from './command.ts';
import { summaryLine } from './summary.ts';

/** The configuration as people ask about it. Nothing it gives holds a secret. */
export interface Configuration {
  /** What is wrong with the settings of the sidecar and, where the Engine answers, with the labels of the services. */
  check(signal: AbortSignal): Promise<Checked>;
  /** The same for a stack that does not run yet, as `docker compose config --format json` prints it. Throws USAGE. */
  checkCompose(json: string): Checked;
  /** Every value that holds. */
  show(signal: AbortSignal): Promise<Shown>;
  /** A configuration file with everything explained. */
  example(): string;
  /** The JSON Schema of that file. */
  schema(): object;
}

export interface Checked {
  /** For machines. */
  readonly problems: readonly object[];
  /** For people, or as annotations of GitHub Actions. */
  text(format: 'text' | 'github'): readonly string[];
  /** What was not looked at, and why. */
  readonly unseen?: string | undefined;
}

export interface Shown {
  readonly values: readonly object[];
  text(withOrigins: boolean): string;
  readonly unseen?: string | undefined;
}

/** `lifeboat config check [-]`: everything that is wrong, at once. */
export const check: LoneCommand<{ format?: 'text' | 'github' }> = async (context, [source], { format = 'text' }) => {
  const { output, signal, configuration } = context;
  if (source !== undefined && source !== '-')
    throw new LifeboatError('USAGE', `config check reads the environment, or - for standard input, not ${source}`, {
      hint: 'docker compose config --format json | docker run --rm -i lifeboat:1 config check -',
    });
  const read = await configuration();
  const found = source === '-' ? read.checkCompose(await standardInput(signal)) : await read.check(signal);
  if (output.json) output.data({ problems: found.problems, unseen: found.unseen });
  else for (const line of found.text(format)) output.print(line);
  if (found.unseen) output.say(`${output.paint('yellow', '!')} ${found.unseen}`);
  const isGood = found.problems.length === 0;
  const text = isGood ? 'the configuration has no problem' : `${many(found.problems.length, 'problem')} found`;
  output.say(summaryLine(output, { mood: isGood ? 'good' : 'bad', text }));
  return isGood ? exitCodes.ok : exitCodes.configProblems;
};

/** `lifeboat config show`: the values that hold, and with `--origins` where each was written. */
export const show: LoneCommand<{ origins?: boolean }> = async ({ output, signal, configuration }, _, { origins }) => {
  const found = await (await configuration()).show(signal);
  if (output.json) output.data({ values: found.values, unseen: found.unseen });
  else output.print(found.text(origins === true));
  if (found.unseen) output.say(`${output.paint('yellow', '!')} ${found.unseen}`);
  return exitCodes.ok;
};

/** `lifeboat config example`: a file to begin with. */
export const example: LoneCommand = async ({ output, configuration }) => {
  output.print((await configuration()).example().trimEnd());
  return exitCodes.ok;
};

/** `lifeboat config schema`: for editors that complete and check YAML. */
export const schema: LoneCommand = async ({ output, configuration }) => {
  output.print(JSON.stringify((await configuration()).schema(), null, 2));
  return exitCodes.ok;
};

// --- utils ---

async function standardInput(signal: AbortSignal): Promise<string> {
  const chunks: Buffer[] = [];
  process.stdin.once('error', () => {});
  signal.addEventListener('abort', () => process.stdin.destroy(), { once: true });
  for await (const chunk of process.stdin as AsyncIterable<Buffer>) chunks.push(chunk);
  signal.throwIfAborted();
  return Buffer.concat(chunks).toString('utf8');
}
