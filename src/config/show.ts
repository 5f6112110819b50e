import { stripVTControlCharacters } from 'node:util';
import { visible } from '../domain/grammar.ts';
import { defaultOf } from '../domain/option.ts';
import { withoutUserinfo } from '../domain/redact.ts';
import type { Written } from './layer.ts';
import type { Config } from './load.ts';
import { originText } from './origin.ts';
import { Secret } from './secret.ts';
import type { ServiceChoice, SourceChoice } from './service-settings.ts';
import type { Rows } from './settle.ts';
import type { KeyEntry } from './vocabulary.ts';

/** One effective value of the configuration. */
export interface ShownValue {
  /** `sidecar`, `destination offsite`, `defaults`, `service db`, `source db/invoices`. */
  readonly group: string;
  readonly key: string;
  /** As a person would write it; a secret as its length and where it is from; undefined when unset. */
  readonly value: string | undefined;
  readonly origin: string;
}

/** The effective configuration, with where each value comes from. Holds no secret. */
export function shownValues(config: Config, services: readonly ServiceChoice[]): readonly ShownValue[] {
  const { vocabulary, rows } = config;
  const ofService = [...vocabulary.service.values()];
  return [
    ...valuesOf('sidecar', vocabulary.stack.values(), rows.stack),
    ...[...rows.destinations].flatMap(([name, own]) =>
      valuesOf(`destination ${name}`, vocabulary.destination.values(), own),
    ),
    ...valuesOf('defaults', writtenOf(ofService, rows.defaults), rows.defaults),
    ...services.flatMap((choice) => [
      ...sourceValues(`service ${choice.service}`, ofService, choice),
      ...choice.extras.flatMap((extra) => sourceValues(`source ${choice.service}/${extra.name}`, ofService, extra)),
    ]),
  ];
}

/** The values for a terminal, one line each, grouped; `withOrigins` adds where each comes from. */
export function showText(values: readonly ShownValue[], withOrigins: boolean): string {
  const keyWidth = Math.max(...values.map(({ key }) => key.length), 0);
  const valueWidth = Math.min(Math.max(...values.map((each) => shown(each).length), 0), 48);
  const groups = Map.groupBy(values, ({ group }) => group);
  return [...groups]
    .map(([group, members]) => {
      const lines = members.map((each) => {
        const origin = withOrigins ? `  ${each.origin}` : '';
        return `  ${each.key.padEnd(keyWidth)}  ${shown(each).padEnd(withOrigins ? valueWidth : 0)}${origin}`.trimEnd();
      });
      return [group, ...lines].join('\n');
    })
    .join('\n\n');
}

// --- utils ---

function sourceValues(group: string, entries: readonly KeyEntry[], { rows }: SourceChoice): readonly ShownValue[] {
  return valuesOf(group, writtenOf(entries, rows), rows);
}

/** Our own keys always, those of engines only where something was written about them. */
function writtenOf(entries: readonly KeyEntry[], rows: Rows): readonly KeyEntry[] {
  return entries.filter((entry) => entry.engine === undefined || rows.has(entry.key));
}

function valuesOf(group: string, entries: Iterable<KeyEntry>, rows: Rows): readonly ShownValue[] {
  return [...entries].map(({ key, schema }) => {
    const written = rows.get(key);
    const standard = defaultOf(schema);
    const value = written ? textOf(written) : standard === undefined ? undefined : String(standard);
    return { group, key, value, origin: written ? originText(written.origin) : 'default' };
  });
}

function textOf({ value }: Written): string {
  // A command or an address that somebody wrote with its login is no secret to us, but is one.
  return value instanceof Secret ? value.describe() : withoutUserinfo(visible(stripVTControlCharacters(value.trim())));
}

function shown({ value }: ShownValue): string {
  return value ?? '–';
}
