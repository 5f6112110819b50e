import { readTextFile } from './disk.ts';
import type { Layer } from './layer.ts';
import type { Origin } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import type { Surroundings } from './secret-file.ts';
import { readServiceLayers, type ServiceLayers, type ServiceValue } from './service-layers.ts';
import { readSidecarKeys } from './sidecar-layer.ts';
import { configVariable, destinationName } from './variables.ts';
import type { Vocabulary } from './vocabulary.ts';
import { type YamlEntry, yamlEntries } from './yaml-entries.ts';

/** Where the configuration file is looked for unless LIFEBOAT_CONFIG says otherwise. */
export const defaultConfigPath = '/etc/lifeboat/config.yaml';

/** What the configuration file says. */
export interface FileValues {
  readonly stack: Layer;
  /** `defaults:`, for every service. */
  readonly defaults: Layer;
  /** `services:`, by service. */
  readonly services: ReadonlyMap<string, ServiceLayers>;
  readonly destinations: ReadonlyMap<string, Layer>;
  readonly problems: readonly Problem[];
}

/** Reads the file named by LIFEBOAT_CONFIG, or the one at the usual place, which may be missing. */
export function readConfigFile(
  named: string | undefined,
  vocabulary: Vocabulary,
  surroundings: Surroundings,
): FileValues {
  const path = named || defaultConfigPath;
  const file = surroundings.readsFiles ? readTextFile(surroundings.disk, path) : undefined;
  if (!file || ('why' in file && file.isMissing && !named)) return readYaml('', path, vocabulary, surroundings);
  if ('text' in file) return readYaml(file.text, path, vocabulary, surroundings);
  const origin: Origin = named
    ? { from: 'environment', variable: configVariable, file: path }
    : { from: 'file', path, line: 1, column: 1 };
  const unreadable = problem({
    severity: 'error',
    effect: 'cannot-start',
    origin,
    message: `cannot read ${path}: ${file.why}`,
  });
  return { ...readYaml('', path, vocabulary, surroundings), problems: [unreadable] };
}

/** Reads the text of a configuration file. A document that is no YAML says nothing but its problems. */
function readYaml(text: string, path: string, vocabulary: Vocabulary, surroundings: Surroundings): FileValues {
  const { entries, complaints } = yamlEntries(text);
  const broken = complaints.map(({ message, line, column }) =>
    problem({
      severity: 'error',
      effect: 'cannot-start',
      origin: { from: 'file', path, line, column },
      message: `${path} cannot be read: ${message} at line ${line}, column ${column}`,
    }),
  );
  const usable = complaints.length === 0 ? entries.filter((entry) => !isAside(entry)) : [];
  const byGroup = Map.groupBy(usable, groupOf);
  const valuesOf = (found: readonly YamlEntry[] | undefined, depth: number): readonly ServiceValue[] =>
    (found ?? []).map(({ path: keys, text: value, line, column }) => ({
      key: keys.slice(depth).join('.'),
      written: keys.join('.'),
      value,
      origin: { from: 'file', path, line, column, key: keys.join('.') },
    }));
  const byName = <T>(
    group: Group,
    nameOf: (name: string) => string,
    read: (values: readonly ServiceValue[], name: string) => T,
  ) => {
    const named = Map.groupBy(byGroup.get(group) ?? [], (entry) => nameOf(entry.path[1] ?? ''));
    return new Map([...named].map(([name, found]) => [name, read(valuesOf(found, 2), name)] as const));
  };
  const stack = readSidecarKeys(valuesOf(byGroup.get('stack'), 0), vocabulary.stack, vocabulary, surroundings);
  const defaults = readServiceLayers(valuesOf(byGroup.get('defaults'), 1), vocabulary);
  const services = byName('services', String, (values, name) => readServiceLayers(values, vocabulary, name));
  const destinations = byName('dest', destinationName, (values) =>
    readSidecarKeys(values, vocabulary.destination, vocabulary, surroundings),
  );
  const problems = [...destinations.values()].flatMap((each) => each.problems);
  return {
    stack: stack.layer,
    defaults: defaults.own,
    services,
    destinations: new Map([...destinations].map(([name, { layer }]) => [name, layer])),
    problems: [...broken, ...stack.problems, ...defaults.problems, ...problems],
  };
}

// --- utils ---

type Group = 'stack' | 'defaults' | 'services' | 'dest';

/** Which part of the file a value belongs to; one that names no key of a group is looked for among the sidecar's own. */
function groupOf({ path: [root, ...below] }: YamlEntry): Group {
  if (root === 'defaults' && below.length > 0) return 'defaults';
  return (root === 'services' || root === 'dest') && below.length > 1 ? root : 'stack';
}

/** A group, or a name in one, without anything below it says nothing. */
function isAside({ path: [root = '', ...below], text }: YamlEntry): boolean {
  const isNamed = root === 'services' || root === 'dest';
  const isGroup = isNamed || ['defaults', 'notify', 'docker'].includes(root);
  const isBare = isGroup && (below.length === 0 || (isNamed && below.length === 1));
  return isBare && text.trim() === '';
}
