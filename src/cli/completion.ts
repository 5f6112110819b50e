import type { Option } from 'commander';
import { exitCodes, LifeboatError } from '../domain/errors.ts';
import type { LoneCommand } from './command.ts';
import { type Entry, entries, globalOptions } from './entries.ts';

/** `lifeboat completion bash`: a script that lets a shell complete commands and options, made from the entries. */
export const completion: LoneCommand = async ({ output }, [shell = '']) => {
  const script = Object.hasOwn(scripts, shell) ? scripts[shell] : undefined;
  if (!script)
    throw new LifeboatError('USAGE', `there is no completion for ${shell}`, {
      hint: `one of: ${Object.keys(scripts).join(', ')}`,
    });
  output.print(script(placesOf([], entries, globalOptions)).trim());
  return exitCodes.ok;
};

// --- utils ---

/** What can follow one command or group. */
interface Place {
  /** The words that lead here: none for `lifeboat` alone. */
  readonly path: readonly string[];
  readonly commands: readonly Entry[];
  readonly options: readonly Option[];
}

function placesOf(path: readonly string[], children: readonly Entry[], options: readonly Option[]): readonly Place[] {
  const commands = children.filter(({ hidden }) => !hidden);
  const deeper = commands.flatMap((entry) =>
    namesOf(entry).flatMap((name) => placesOf([...path, name], entry.commands ?? [], entry.options ?? [])),
  );
  return [{ path, commands, options }, ...deeper];
}

function namesOf({ name, alias }: Entry): readonly string[] {
  return alias ? [name, alias] : [name];
}

function flagsOf({ short, long }: Option): readonly string[] {
  return [short, long].filter((flag) => flag !== undefined);
}

/** Options whose values are known. */
function choices(places: readonly Place[]): readonly { readonly flag: string; readonly values: string }[] {
  return places
    .flatMap(({ options }) => options)
    .flatMap(({ long, argChoices }) => (long && argChoices ? [{ flag: long, values: argChoices.join(' ') }] : []));
}

/** `/config/check`: how the scripts remember where they are. */
function keyOf({ path }: Place): string {
  return path.map((word) => `/${word}`).join('');
}

function keysOf(places: readonly Place[]): string {
  return places.slice(1).map(keyOf).join('|');
}

/** Our own words, which a shell must take as they are. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", '’')}'`;
}

const scripts: Readonly<Record<string, (places: readonly Place[]) => string>> = {
  bash: (places) => `
# source <(lifeboat completion bash)
_lifeboat() {
  local word at='' words=''
  for word in "\${COMP_WORDS[@]:1:COMP_CWORD-1}"; do
    case "$at/$word" in ${keysOf(places)}) at="$at/$word" ;; esac
  done
  case "$at" in
${places.map((place) => `    ${quoted(keyOf(place))}) words=${quoted(wordsOf(place).join(' '))} ;;`).join('\n')}
  esac
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
${choices(places)
  .map(({ flag, values }) => `    ${flag}) words=${quoted(values)} ;;`)
  .join('\n')}
    *) [ -z "$at" ] || words="$words ${globalOptions.flatMap(flagsOf).join(' ')}" ;;
  esac
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _lifeboat lifeboat`,

  zsh: (places) => `
#compdef lifeboat
# source <(lifeboat completion zsh)
_lifeboat() {
  local word at=''
  local -a found
  for word in "\${(@)words[2,CURRENT-1]}"; do
    case "$at/$word" in (${keysOf(places)}) at="$at/$word" ;; esac
  done
  case "$words[CURRENT-1]" in
${choices(places)
  .map(({ flag, values }) => `    (${flag}) compadd ${values}; return ;;`)
  .join('\n')}
  esac
  case "$at" in
${places.map((place) => `    (${quoted(keyOf(place))}) found=(${described(place).join(' ')}) ;;`).join('\n')}
  esac
  [[ -z "$at" ]] || found+=(${globalOptions.flatMap(describedFlags).join(' ')})
  _describe lifeboat found
}
compdef _lifeboat lifeboat`,

  fish: (places) => `
# lifeboat completion fish | source
complete -c lifeboat -f
${places.flatMap(fishLines).join('\n')}`,
};

function wordsOf({ commands, options }: Place): readonly string[] {
  return [...commands.flatMap(namesOf), ...options.flatMap(flagsOf)];
}

/** `name:what it does`, as zsh wants it. */
function described({ commands, options }: Place): readonly string[] {
  const ofCommands = commands.flatMap((entry) => namesOf(entry).map((name) => quoted(`${name}:${entry.summary}`)));
  return [...ofCommands, ...options.flatMap(describedFlags)];
}

function describedFlags(option: Option): readonly string[] {
  return flagsOf(option).map((flag) => quoted(`${flag}:${option.description}`));
}

function fishLines({ path, commands, options }: Place): readonly string[] {
  const inside = path.map((word) => `__fish_seen_subcommand_from ${word}`).join('; and ');
  const given = commands.flatMap(namesOf).join(' ');
  const next = inside === '' ? '__fish_use_subcommand' : `${inside}; and not __fish_seen_subcommand_from ${given}`;
  const ofCommands = commands.map(
    (entry) =>
      `complete -c lifeboat -n ${quoted(next)} -a ${quoted(namesOf(entry).join(' '))} -d ${quoted(entry.summary)}`,
  );
  const ofOptions = options.map(({ short, long, required, argChoices, description }) =>
    [
      'complete -c lifeboat',
      ...(inside === '' ? [] : [`-n ${quoted(inside)}`]),
      ...(short ? [`-s ${short.slice(1)}`] : []),
      ...(long ? [`-l ${long.slice(2)}`] : []),
      ...(required ? ['-r'] : []),
      ...(argChoices ? [`-a ${quoted(argChoices.join(' '))}`] : []),
      `-d ${quoted(description)}`,
    ].join(' '),
  );
  return [...ofCommands, ...ofOptions];
}
