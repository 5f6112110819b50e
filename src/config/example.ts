import { z } from 'zod';
import { defaultOf } from '../domain/option.ts';
import { readerOf } from './key.ts';
import { type Tree, treeOf } from './tree.ts';
import type { KeyEntry, Vocabulary } from './vocabulary.ts';

/**
 * A configuration file in which everything is explained and commented out, but for one destination (`config example`).
 * Taking the `#` from before any key gives a valid file.
 */
export function configExample(vocabulary: Vocabulary): string {
  const own = [...vocabulary.service].filter(([, { engine }]) => engine === undefined);
  const engines = [...vocabulary.service].filter(([, { engine }]) => engine !== undefined);
  return [
    '# Configuration of Lifeboat, read from /etc/lifeboat/config.yaml (or where LIFEBOAT_CONFIG says).',
    '# Everything here can also be set by variables (LIFEBOAT_STOP_TIMEOUT for stop.timeout), which win over this file.',
    '# Values: durations 90s 15m 26h 7d 1d12h · schedules "30 3 * * *" @daily "@every 6h" manual · lists a, b or [a, b] ·',
    '# bools true false. A secret may stand here (url: …) or, better, in a file of its own (url-file: /run/secrets/…).',
    '',
    '# --- Where backups go: a name of your own for each destination ---',
    'dest:',
    '  local:',
    ...branch(only(vocabulary.destination, 'url'), 2, false, 'file:///backups'),
    '#  offsite:',
    ...branch(treeOf(vocabulary.destination), 2, true, 's3://bucket/prefix?region=eu-central-1'),
    '',
    '# --- The sidecar ---',
    ...branch(treeOf(vocabulary.stack), 0, true),
    '',
    '# --- What holds for every service that says nothing else ---',
    '#defaults:',
    ...branch(treeOf(own), 1, true),
    '',
    '# --- What holds for one service; beats its labels ---',
    '#services:',
    '#  db:',
    '#    schedule: "0 */6 * * *"',
    ...branch(treeOf(engines), 2, true),
    '',
  ].join('\n');
}

// --- utils ---

function only(entries: ReadonlyMap<string, KeyEntry>, key: string): Tree<KeyEntry> {
  return treeOf([...entries].filter(([each]) => each === key));
}

function branch(tree: Tree<KeyEntry>, depth: number, isAside: boolean, url?: string): readonly string[] {
  const indent = '  '.repeat(depth);
  const aside = isAside ? '#' : '';
  return [...tree.below].flatMap(([name, { leaf, below }]) => {
    const words = leaf ? commentOf(leaf).map((line) => `#${indent} ${line}`) : [];
    if (below.size === 0 && leaf) {
      const file = leaf.kind === 'secret' ? '-file' : '';
      return [...words, `${aside}${indent}${name}${file}: ${sample(leaf, url)}`];
    }
    // A key that is a value and a group: its own value goes by a member of the group.
    const member = leaf === undefined ? [] : [`${aside}${indent}  ${leaf.engine ? 'enable' : 'name'}: ${sample(leaf)}`];
    return [...words, `${aside}${indent}${name}:`, ...member, ...branch({ below }, depth + 1, isAside)];
  });
}

/** Comment lines of at most about 100 characters. */
function commentOf({ schema, engine, option }: KeyEntry): readonly string[] {
  const own = schema instanceof z.ZodType ? (schema.description ?? '') : '';
  const means = engine !== undefined && option === undefined ? `Whether ${engine} saves this service.` : own;
  const { name, words } = readerOf(schema);
  const lines: string[] = [];
  for (const word of `${means} ${words ? `One of: ${words.join(', ')}.` : `(${name})`}`.trim().split(/\s+/)) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length > 100) lines.push(word);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines;
}

function sample(entry: KeyEntry, url?: string): string {
  // In quotes, since YAML gives *, @, # and : meanings of their own.
  if (entry.key === 'url' && url !== undefined) return JSON.stringify(url);
  if (entry.kind === 'secret') return JSON.stringify(`/run/secrets/${entry.key.replace(/[.-]/g, '_')}`);
  const standard = defaultOf(entry.schema);
  const text = Array.isArray(standard) ? standard.join(', ') : standard === undefined ? '' : String(standard);
  return JSON.stringify(text === '' ? (sampleTexts[entry.key] ?? readerOf(entry.schema).examples[0]) : text);
}

/** Where the example of the grammar would not make sense. */
const sampleTexts: Readonly<Record<string, string>> = {
  projects: 'shop, blog',
  name: 'shop',
  'docker.host': 'unix:///var/run/docker.sock',
  'docker.api-version': '1.45',
};
