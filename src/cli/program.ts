import { Command as Commander, CommanderError, Option } from 'commander';
import { LifeboatError } from '../domain/errors.ts';
import type { Command } from './command.ts';

/** Global flags, the same for every command. */
export interface GlobalOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
}

/** What argv asks for: a command, loaded only when it is called, and its arguments. */
export interface Invocation {
  readonly name: string;
  readonly load: () => Promise<Command>;
  readonly args: readonly string[];
  readonly options: Record<string, unknown>;
  readonly global: GlobalOptions;
}

interface Entry {
  readonly name: string;
  readonly alias?: string;
  readonly usage?: string;
  readonly summary: string;
  readonly options?: readonly Option[];
  /** Not for people to type. */
  readonly hidden?: boolean;
  readonly load: () => Promise<Command>;
}

const entries: readonly Entry[] = [
  {
    name: 'status',
    summary: 'how things stand, one line per source',
    load: async () => (await import('./status.ts')).status,
  },
  {
    name: 'plan',
    summary: 'what would be backed up, and what would not and why',
    load: async () => (await import('./plan.ts')).plan,
  },
  {
    name: 'backup',
    usage: '[target...]',
    summary: 'back up now: a service, a source (db/postgres), or everything',
    load: async () => (await import('./backup.ts')).backup,
  },
  {
    name: 'list',
    alias: 'snapshots',
    usage: '[target]',
    summary: 'backups, newest first',
    load: async () => (await import('./list.ts')).list,
  },
  {
    name: 'show',
    usage: '<id>',
    summary: 'everything about one backup',
    load: async () => (await import('./show.ts')).show,
  },
  {
    name: 'restore',
    usage: '[target]',
    summary: 'put a backup back; shows the plan first',
    options: [
      new Option('--at <when>', 'latest, an id, or a point in time').default('latest'),
      new Option('--as <name>', 'restore beside the live data under this name, touching nothing'),
      new Option('--database <name...>', 'only these databases'),
      new Option('-n, --dry-run', 'show the plan and stop'),
      new Option('-y, --yes', 'do not ask and do not wait'),
      new Option('--no-safety-backup', 'do not back up what is there now first'),
    ],
    load: async () => (await import('./restore.ts')).restore as Command,
  },
  {
    name: 'cancel',
    usage: '<run>',
    summary: 'end a run that is under way',
    load: async () => (await import('./cancel.ts')).cancel,
  },
  {
    name: 'logs',
    usage: '[run]',
    summary: 'what was said in a run, the last one when none is named',
    load: async () => (await import('./logs.ts')).logs,
  },
  {
    name: 'overview',
    summary: 'what lifeboat alone shows',
    hidden: true,
    load: async () => (await import('./status.ts')).overview,
  },
];

/** Understood by every command, and without one. */
const globalFlags = new Set(['--json', '-q', '--quiet', '--no-color']);

/** Names under which the image also has each command on its PATH. */
export const commandNames: readonly string[] = entries.flatMap(({ name, alias, hidden }) =>
  hidden ? [] : alias ? [name, alias] : [name],
);

/**
 * Reads argv; without a command it is the overview. Resolves with undefined when it was answered already (help, version).
 * Rejects USAGE.
 */
export function parse(argv: readonly string[], version: string): Invocation | undefined {
  let found: Invocation | undefined;
  const program = new Commander('lifeboat')
    .description('Backups of the databases beside this container, proved and restorable.')
    .version(version, '--version')
    .option('--json', 'results as JSON')
    .option('-q, --quiet', 'no messages')
    .option('--no-color', 'no colours')
    .showSuggestionAfterError()
    .exitOverride()
    .configureOutput({ outputError: () => {} });
  for (const entry of entries) {
    const command = program
      .command(`${entry.name}${entry.usage ? ` ${entry.usage}` : ''}`, { hidden: entry.hidden ?? false })
      .summary(entry.summary)
      .description(entry.summary);
    if (entry.alias) command.alias(entry.alias);
    for (const option of entry.options ?? []) command.addOption(option);
    // Global flags are also understood behind the command, where people type them.
    command.option('--json').option('-q, --quiet').option('--no-color');
    command.action((...given: unknown[]) => {
      const self = given.at(-1) as Commander;
      const { json, quiet, color, ...options } = self.opts<Record<string, unknown>>();
      const all = program.opts<Record<string, unknown>>();
      const isSet = (name: string, value: unknown) => Boolean(value) || Boolean(all[name]);
      const global = {
        json: isSet('json', json),
        quiet: isSet('quiet', quiet),
        color: color !== false && all.color !== false,
      };
      found = { name: entry.name, load: entry.load, args: self.args, options, global };
    });
  }
  try {
    const isBare = argv.every((word) => globalFlags.has(word));
    program.parse(isBare ? [...argv, 'overview'] : [...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return undefined;
    const [message = '', hint] = error.message.replace(/^error: /, '').split('\n');
    throw new LifeboatError('USAGE', message, { hint: hint?.replace(/^\((.*)\)$/, '$1') || 'lifeboat --help' });
  }
  return found;
}
