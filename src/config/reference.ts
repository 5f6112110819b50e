import { z } from 'zod';
import { bool, type Grammar, glob, integer, list, text } from '../domain/grammar.ts';
import { defaultOf } from '../domain/option.ts';
import { duration, size } from '../domain/quantity.ts';
import { schedule } from '../domain/schedule.ts';
import { planned } from './available.ts';
import { factsOf, readerOf, variableOf } from './key.ts';
import { anchorOf } from './problems.ts';
import { engineSwitch, name } from './value.ts';
import type { EngineWords, KeyEntry, Vocabulary } from './vocabulary.ts';

/** The reference of the configuration as Markdown: made from the schema, never by hand. */
export function referenceMarkdown(vocabulary: Vocabulary): string {
  const service = [...vocabulary.service.values()];
  const own = service.filter(({ engine }) => engine === undefined);
  return [
    '# Configuration',
    '<!-- Made by scripts/reference.ts from src/config. Do not edit. -->',
    introduction,
    '## Values',
    'Everything is written as text, the same in labels, variables and the file.',
    table(['name', 'allowed', 'examples'], grammars.map(grammarRow)),
    '## Services',
    'As a label on the service, below `services.<name>` or, for all services, `defaults` in the file, or as a variable of the sidecar, which sets the default for all services. The key in the file is the label without `lifeboat.`.',
    keyTable('label', own, 'lifeboat.'),
    '## Engines',
    'An engine is switched on by itself where it recognises its database. `lifeboat.<engine>: false` keeps it away, `true` insists.',
    ...[...vocabulary.engines.values()].flatMap((words) => [
      `### ${words.name}`,
      ...notesOf(words),
      keyTable(
        'label',
        service.filter(({ engine }) => engine === words.name),
        'lifeboat.',
      ),
    ]),
    '## Extra sources',
    'One service may hold more than engines find. `lifeboat.source.<name>.<key>` describes a source of your own, with the options of exactly one engine and any key of a service: `lifeboat.source.invoices.command`, `lifeboat.source.invoices.schedule`. It inherits the keys of its service, but no options of engines.',
    '## Destinations',
    'Each has a name of your own: `LIFEBOAT_DEST_<NAME>_<KEY>` (`OFF_SITE` is called `off-site`), or `dest.<name>.<key>` in the file. No label can change them.',
    keyTable('key', vocabulary.destination.values(), 'dest.<name>.', 'DEST_<NAME>_'),
    '## The sidecar',
    'Variables of the sidecar, or keys at the top level of the file. No label can change them. `LIFEBOAT_CONFIG` is the path of the file itself; unset means `/etc/lifeboat/config.yaml`, which may be missing.',
    keyTable('key', vocabulary.stack.values(), ''),
    '## Not supported yet',
    'These names are reserved. They are reported when they are used, and what they ask for is not done. With `passphrase` or `age` Lifeboat does not start, so that nobody takes his backups for encrypted.',
    [...planned.keys()].map((name) => `\`${name}\``).join(', '),
  ]
    .join('\n\n')
    .concat('\n');
}

const introduction = `One vocabulary, three carriers: \`LIFEBOAT_STOP_TIMEOUT\` is \`lifeboat.stop.timeout\` is \`stop.timeout\`; a variable has \`_\` where a key has \`.\` or \`-\`.

| level | carrier | changing it restarts |
|---|---|---|
| one service | \`services.<name>\` in the file, then labels on the service | the sidecar; with a label, that service |
| all services | variables of the sidecar, then \`defaults\` in the file | the sidecar |
| the sidecar | variables of the sidecar, then the file | the sidecar |

The level of the service beats that of all services; within a level the carrier that is named first wins. \`lifeboat config show --origins\` prints each value and where it comes from.

**Files.** Every variable may have \`_FILE\` at its end and then names a file that holds the value; a secret in the file may have \`-file\` at the end of its key. Both at once is an error. One line end at the end of such a file is removed. An empty variable counts as unset.

**Mistakes.** All are told at once. An unknown key is a warning and is ignored. A bad value of a key that *tunes* (see its kind) is an error, and the default of the level above is used. A bad value of a key about *data* is an error, and that source is not backed up, or on the sidecar nothing starts (exit 78). With \`strict\` any problem keeps Lifeboat from starting. Secrets in labels are refused: everybody who may inspect a container reads its labels. Labels that come from the image of a container (with the same value there) configure nothing: whoever made that image has no say here. Compose replaces \`$NAME\` in labels: write \`$$\` for a dollar sign.`;

const grammars: readonly Grammar<unknown>[] = [
  bool,
  integer(),
  duration,
  size,
  list(text),
  schedule,
  glob,
  name,
  engineSwitch,
];

// --- utils ---

function grammarRow({ name: word, allowed, examples }: Grammar<unknown>): readonly string[] {
  return [code(word), allowed, examples.map(code).join(' ')];
}

/** The other ways to write its keys. */
function notesOf({ name: engine, aliases, bare }: EngineWords): readonly string[] {
  const others = aliases.map((alias) => code(`lifeboat.${alias}`)).join(', ');
  const short =
    bare &&
    `A value that is no switch, written as ${code(`lifeboat.${engine}`)}, sets ${code(`lifeboat.${bare.key}`)} and switches the engine on.`;
  return [...(others === '' ? [] : [`Also written ${others}.`]), ...(short ? [short] : [])];
}

/** One line per key. A key that tunes is marked, since only there a bad value is replaced by the default. */
function keyTable(head: string, entries: Iterable<KeyEntry>, start: string, variable = ''): string {
  const rows = [...entries].map((entry) => {
    const own = `LIFEBOAT_${variable}${variableOf(entry.key).slice('LIFEBOAT_'.length)}`;
    const variables = [own, ...(factsOf(entry.schema).variables ?? [])].map(code).join(', then ');
    const name = `<a id="${anchorOf(entry.key)}"></a>${code(start + entry.key)}`;
    return [
      name,
      variables,
      valuesOf(entry),
      defaultText(entry),
      entry.kind === 'tuning' ? 'tunes' : 'data',
      meaningOf(entry),
    ];
  });
  return table([head, 'variable', 'values', 'default', 'kind', 'meaning'], rows);
}

function meaningOf({ schema, engine, option, key }: KeyEntry): string {
  if (engine !== undefined && option === undefined) return `Whether ${key} saves this service.`;
  return schema instanceof z.ZodType ? (schema.description ?? '') : '';
}

/** The name of a grammar that the page explains, with what narrows it here; else what is allowed. */
function valuesOf({ schema, kind }: KeyEntry): string {
  if (kind === 'secret') return 'a secret';
  const { name, allowed, words } = readerOf(schema);
  if (words) return words.map(code).join(', ');
  const [, item] = /^list of (.*)$/.exec(name) ?? [];
  if (item !== undefined) {
    return `${code('list')} of ${isExplained(item) ? code(item) : allowed.slice(0, allowed.indexOf(', separated by'))}`;
  }
  const base = grammars.find((each) => each.name === name);
  return base && allowed.startsWith(base.allowed) ? `${code(name)}${allowed.slice(base.allowed.length)}` : allowed;
}

function isExplained(name: string): boolean {
  return grammars.some((each) => each.name === name);
}

function defaultText({ schema }: KeyEntry): string {
  const standard = defaultOf(schema);
  const isNone = standard === undefined || (Array.isArray(standard) && standard.length === 0);
  return isNone ? 'unset' : code(Array.isArray(standard) ? standard.join(', ') : String(standard));
}

function code(text: string): string {
  return `\`${text}\``;
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;
  return [line(head), `|${'---|'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}
