import { LifeboatError } from '../../domain/errors.ts';
import { shellQuote } from '../../domain/naming.ts';
import { promptMs, type Shell } from '../../domain/shell.ts';
import type { Container } from '../../domain/types.ts';
import type { Dump, Engine, Survey } from '../engine.ts';
import { CommandOptions, type Words } from './options.ts';
import { prove, review } from './proof.ts';
import { preview, restore } from './restore.ts';

const label = 'lifeboat.command';

/** Anything that no other engine knows: the user's own commands, run inside the container they are written on. */
export const command: Engine<CommandOptions> = {
  name: 'command',
  options: CommandOptions,
  recognise: ({ labels }) => Object.keys(labels).some((key) => key === label || key.startsWith(`${label}.`)),
  dataPaths: () => [],
  survey,
  dump: (_shell, found, options) => dump(found, options),
  prove: (shell, { name }, plain, options, signal) => prove(shell, name, plain, options, signal),
  review: async (_shell, _survey, artifacts, options) => review(artifacts, options),
  preview: async (shell, _manifest, target, options) => preview(shell, target, options),
  restore,
  recover: async (_shell, { undo }) =>
    undo === undefined
      ? { live: 'before', found: 'nothing was touched' }
      : { live: 'half', found: 'the restore command may have done half of its work' },
  byHand: (container, _artifact, options) => byHand(container, options),
};

/** Runs nothing of the user's: what a command would give is known only by running it. */
async function survey(shell: Shell, options: CommandOptions, signal: AbortSignal): Promise<Survey> {
  const { container } = shell;
  const [tool] = options.run;
  const looked = await shell.run(
    { argv: ['sh', '-c', 'command -v "$1"', 'sh', tool], timeoutMs: promptMs },
    undefined,
    signal,
  );
  if (looked.exitCode !== 0) {
    throw new LifeboatError('TOOL_MISSING', `container ${container.name} has no ${tool}`, {
      hint: 'correct lifeboat.command, or use an image that has it',
    });
  }
  return {
    product: 'command',
    version: container.image,
    // Nothing else tells one app from another that is backed up by the same line.
    identity: `${container.stack}/${container.service} of image ${container.imageId}`,
    tool: { name: tool, version: 'unknown' },
    items: [{ name: artifactOf(options).name, kind: 'output' }],
    left: [],
    warnings: warningsOf(options),
    consistency: 'as the command makes it',
  };
}

function warningsOf({ run, check }: CommandOptions): string[] {
  const [shell, option, line = ''] = run;
  const hasPipe = shell === 'sh' && option === '-c' && /(?<!\|)\|(?!\|)/.test(line) && !line.includes('pipefail');
  return [
    ...(hasPipe ? ['the command has a pipe: sh forgets the failure of all parts but the last'] : []),
    ...(check ? [] : ['no lifeboat.command.check: nothing but the exit code tells whether the output is whole']),
  ];
}

async function* dump(found: Survey, options: CommandOptions): AsyncGenerator<Dump> {
  const exec = { argv: options.run, user: options.user };
  for (const { kind } of found.items) {
    yield { ...artifactOf(options), kind, facts: {}, produce: { from: 'command', exec } };
  }
}

/** `export.tar.gz` is artifact `export` with the extension `tar.gz`. */
function artifactOf({ filename }: CommandOptions): { readonly name: string; readonly extension: string } {
  const dot = filename.indexOf('.');
  return dot > 0 && dot < filename.length - 1
    ? { name: filename.slice(0, dot), extension: filename.slice(dot + 1) }
    : { name: filename, extension: 'bin' };
}

function byHand({ name }: Container, { restore: words, user, filename }: CommandOptions): string {
  if (!words) return `cat > ${shellQuote(filename)}`;
  const as = user === undefined ? '' : ` --user ${shellQuote(user)}`;
  return `docker exec -i${as} ${shellQuote(name)} ${quoted(words)}`;
}

function quoted(words: Words): string {
  return words.map(shellQuote).join(' ');
}
