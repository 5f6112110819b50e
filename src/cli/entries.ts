import { Option } from 'commander';
import { LifeboatError } from '../domain/errors.ts';
import { verifyLevels } from '../domain/verify-level.ts';
import type { Command, LoneCommand, ReadingCommand } from './command.ts';

/** A command, or a group of commands. Help, completion, the image's programs and the reference are made from these. */
export interface Entry {
  readonly name: string;
  readonly alias?: string;
  readonly usage?: string;
  readonly summary: string;
  readonly options?: readonly Option[];
  /** Shown by its help, as typed behind `docker exec sidecar`. */
  readonly examples?: readonly string[];
  /** Not for people to type. */
  readonly hidden?: boolean;
  readonly does?: Deed;
  /** The commands of a group, which does nothing by itself. */
  readonly commands?: readonly Entry[];
}

/** How a command is loaded, which happens only when it is called. */
export type Deed =
  /** Asks the daemon; without one it works in this process. */
  | { readonly load: () => Promise<Command> }
  /** Reads the destinations itself, daemon or not. */
  | { readonly reads: () => Promise<ReadingCommand> }
  /** Needs neither daemon nor Engine. */
  | { readonly alone: () => Promise<LoneCommand> };

/** Somebody gave options to a command that takes none. */
const onlyAlone: Deed = {
  alone: async () => () => {
    throw new LifeboatError('USAGE', 'this command takes no options', { hint: 'call it by its name alone' });
  },
};

export const entries: readonly Entry[] = [
  {
    name: 'status',
    summary: 'how things stand, one line per source',
    does: { load: async () => (await import('./status.ts')).status },
  },
  {
    name: 'plan',
    summary: 'what would be backed up, and what would not and why',
    does: { load: async () => (await import('./plan.ts')).plan },
  },
  {
    name: 'backup',
    usage: '[target...]',
    summary: 'back up now: a service, a source (db/postgres), or everything',
    examples: ['backup', 'backup db', 'backup db/postgres app'],
    does: { load: async () => (await import('./backup.ts')).backup },
  },
  {
    name: 'list',
    alias: 'snapshots',
    usage: '[target]',
    summary: 'backups, newest first',
    options: [new Option('--all', 'the oldest as well; else the newest 50. JSON always holds all')],
    examples: ['list', 'list db', 'list --json'],
    does: { load: async () => (await import('./list.ts')).list as Command },
  },
  {
    name: 'show',
    usage: '<id>',
    summary: 'everything about one backup',
    does: { load: async () => (await import('./show.ts')).show },
  },
  {
    name: 'restore',
    usage: '[target]',
    summary: 'put a backup back; shows the plan first',
    options: [
      new Option('--at <when>', 'latest, an id, or a point in time').default('latest'),
      new Option('--to <service>', 'into this service instead of the one the backup is of'),
      new Option('--as <name>', 'restore beside the live data under this name, touching nothing'),
      new Option('--database <name...>', 'only these databases'),
      new Option('-n, --dry-run', 'show the plan and stop'),
      new Option('--no-safety-backup', 'do not back up what is there now first'),
    ],
    examples: [
      'restore db',
      'restore db --at "2026-11-20 03:00"',
      'restore db --to db-new',
      'restore db --as rehearsal',
      'restore db --dry-run',
    ],
    does: { load: async () => (await import('./restore.ts')).restore as Command },
  },
  {
    name: 'export',
    usage: '<id|target>',
    summary: 'the plain bytes of a backup, or a whole set as a tar',
    options: [
      new Option('-o, --output <file>', 'write there; - is standard output'),
      new Option('--artifact <name>', 'which one, where a backup holds several'),
      new Option('--bundle', 'all backups of the set as they are stored, as a tar'),
    ],
    examples: ['export db --artifact shop > shop.dump', 'export k3f9a2 --bundle > night.tar'],
    does: { reads: async () => (await import('./export.ts')).exportBackup as ReadingCommand },
  },
  {
    name: 'copy',
    usage: '[id|target]',
    summary: 'bring backups to another destination, where they are proved and listed like any other',
    options: [
      new Option('--to <destination>', 'the name of the destination; always needed'),
      new Option('--all', 'every backup, not the newest of each source only'),
      new Option('--since <when>', 'with --all: only those that are not older, 7d or a point in time'),
    ],
    examples: ['copy k3f9a2 --to offsite', 'copy db --to offsite', 'copy --all --since 7d --to offsite'],
    does: { load: async () => (await import('./copy.ts')).copy as Command },
  },
  {
    name: 'verify',
    usage: '[target|id]',
    summary: 'read backups back and prove that they are still whole',
    options: [
      new Option('--level <how>', 'checksum, or structure: the engine reads it as well')
        .choices(verifyLevels)
        .default('structure'),
      new Option('--at <when>', 'latest, an id, or a point in time'),
    ],
    examples: ['verify', 'verify db --at 2026-11-20', 'verify k3f9a2 --level checksum'],
    does: { load: async () => (await import('./verify.ts')).verify as Command },
  },
  {
    name: 'doctor',
    summary: 'look at everything a backup needs, and say what to mend',
    does: { load: async () => (await import('./doctor.ts')).doctor },
  },
  {
    name: 'cancel',
    usage: '<run>',
    summary: 'end a run that is under way',
    does: { load: async () => (await import('./cancel.ts')).cancel },
  },
  {
    name: 'logs',
    usage: '[run]',
    summary: 'what was said in a run, the last one when none is named',
    does: { load: async () => (await import('./logs.ts')).logs },
  },
  {
    name: 'config',
    summary: 'check, show and explain the configuration',
    commands: [
      {
        name: 'check',
        usage: '[-]',
        summary: 'everything that is wrong with it; with - of a stack on standard input',
        options: [new Option('--format <how>', 'how problems are written').choices(['text', 'github']).default('text')],
        does: { alone: async () => (await import('./config.ts')).check },
      },
      {
        name: 'show',
        summary: 'every value that holds; secrets are not shown',
        options: [new Option('--origins', 'and where it was written')],
        does: { alone: async () => (await import('./config.ts')).show },
      },
      {
        name: 'example',
        summary: 'a configuration file with everything explained',
        does: { alone: async () => (await import('./config.ts')).example },
      },
      {
        name: 'schema',
        summary: 'the JSON Schema of that file, for editors',
        does: { alone: async () => (await import('./config.ts')).schema },
      },
    ],
  },
  {
    name: 'completion',
    usage: '<shell>',
    summary: 'a script that completes commands in bash, zsh or fish',
    does: { alone: async () => (await import('./completion.ts')).completion },
  },
  {
    name: 'version',
    summary: 'the versions of Lifeboat and Node',
    does: { alone: async () => (await import('./version.ts')).showVersion },
  },
  // The image calls these two; they take no options, and are done before anything else is loaded.
  {
    name: 'daemon',
    hidden: true,
    summary: 'what the image runs: the schedule, and what the commands ask',
    does: onlyAlone,
  },
  { name: 'healthcheck', hidden: true, summary: 'asks the daemon whether it can do its work', does: onlyAlone },
];

/** What `lifeboat` alone does. */
export const overview: Deed = { load: async () => (await import('./status.ts')).overview };

/** Understood by every command, and without one. */
export const globalOptions: readonly Option[] = [
  new Option('--json', 'results as JSON'),
  new Option('-q, --quiet', 'no messages'),
  new Option('-v, --verbose', 'every step of a run, and where an error came from'),
  new Option('--progress <how>', 'how a run is shown')
    .choices(['auto', 'tty', 'plain', 'json', 'quiet'])
    .default('auto'),
  new Option('--no-color', 'no colours'),
  new Option('--no-input', 'ask nothing, as without a terminal'),
  new Option('-y, --yes', 'do not ask and do not wait'),
];

/** Names under which the image also has each command on its PATH. */
export const commandNames: readonly string[] = entries.flatMap(({ name, alias, hidden }) =>
  hidden ? [] : alias ? [name, alias] : [name],
);
