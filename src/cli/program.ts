import { Command as Commander, CommanderError } from 'commander';
import { LifeboatError } from '../domain/errors.ts';
import { commandNames, type Deed, type Entry, entries, globalOptions, overview } from './entries.ts';

/** What argv asks for, and its arguments. */
export interface Invocation {
  readonly does: Deed;
  readonly args: readonly string[];
  readonly options: Record<string, unknown>;
  readonly global: GlobalOptions;
}

/** Global flags, the same for every command. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly verbose: boolean;
  readonly progress: 'auto' | 'tty' | 'plain' | 'json' | 'quiet';
  readonly color: boolean;
  /** Whether anything may be asked. */
  readonly input: boolean;
  /** Whether every question is answered with yes. */
  readonly yes: boolean;
}

/**
 * Reads argv; without a command it is the overview. Resolves with undefined when it was answered already (help, version).
 * Rejects USAGE.
 */
export function parse(argv: readonly string[], version: string): Invocation | undefined {
  let found: Pick<Invocation, 'does' | 'args' | 'options'> | undefined;
  const program = new Commander('lifeboat')
    .description('Backups of the databases beside this container, proved and restorable.')
    .version(version, '--version')
    .showSuggestionAfterError()
    .exitOverride()
    // What is wrong is said by whoever catches the error.
    .configureOutput({ writeErr: () => {}, outputError: () => {} })
    .configureHelp({ showGlobalOptions: true });
  for (const option of globalOptions) program.addOption(option);
  add(program, entries, (does, { args, options }) => {
    found = { does, args, options };
  });
  try {
    program.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    // Commander wants to show its help where a command is missing.
    const [group] = program.args;
    if (error.code !== 'commander.help') throw usage(error, argv);
    if (group !== undefined) throw withoutCommand(group);
    found = { does: overview, args: [], options: {} };
  }
  return found && { ...found, global: program.opts<GlobalOptions & Record<string, unknown>>() };
}

// --- utils ---

type Found = (does: Deed, given: Pick<Invocation, 'args' | 'options'>) => void;

function add(parent: Commander, children: readonly Entry[], found: Found): void {
  for (const entry of children) {
    const { name, alias, usage: words, summary, options = [], examples = [], hidden = false, does, commands } = entry;
    const command = parent
      .command(words ? `${name} ${words}` : name, { hidden })
      .summary(summary)
      .description(summary);
    if (alias) command.alias(alias);
    for (const option of options) command.addOption(option);
    const lines = examples.map((line) => `  docker exec sidecar ${line}`);
    if (lines.length > 0) command.addHelpText('after', `\nExamples:\n${lines.join('\n')}`);
    if (commands) add(command, commands, found);
    if (does) command.action(() => found(does, { args: command.args, options: command.opts() }));
  }
}

function usage({ message: said }: CommanderError, argv: readonly string[]): LifeboatError {
  const [message = '', hint] = said.replace(/^error: /, '').split('\n');
  const command = argv.find((word) => commandNames.includes(word));
  const help = ['lifeboat', ...(command ? [command] : []), '--help'].join(' ');
  return new LifeboatError('USAGE', message, { hint: hint?.replace(/^\((.*)\)$/, '$1') || help });
}

function withoutCommand(group: string): LifeboatError {
  const names = entries.find(({ name }) => name === group)?.commands?.map(({ name }) => name) ?? [];
  return new LifeboatError('USAGE', `${group} needs one of: ${names.join(', ')}`, { hint: `lifeboat ${group} --help` });
}
