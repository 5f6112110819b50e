import { factsOf } from './key.ts';
import { type Layer, place, type Written } from './layer.ts';
import type { Origin } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import { isSecretName } from './secret.ts';
import { type FileValue, readValueFile, type Surroundings, secretIn } from './secret-file.ts';
import { unknownKey } from './unknown-key.ts';
import { configVariable, createVariables, type Target, variablePrefix } from './variables.ts';
import type { KeyEntry, Vocabulary } from './vocabulary.ts';

/** Variables by name, as in `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** What the environment of the sidecar says. */
export interface EnvironmentValues {
  readonly stack: Layer;
  /** De-facto variables of other products (`TZ`), below our own. */
  readonly deFacto: Layer;
  readonly service: Layer;
  readonly destinations: ReadonlyMap<string, Layer>;
  /** What S3 destinations fall back to: `AWS_ACCESS_KEY_ID` and the like. */
  readonly awsLogin: Layer;
  readonly problems: readonly Problem[];
}

/**
 * Reads `LIFEBOAT_…` variables and their `…_FILE` forms. An empty variable counts as unset, as in `${NAME:-}`. `internal`
 * names the variables of our own code that are not configuration.
 */
export function readEnvironment(
  environment: Environment,
  vocabulary: Vocabulary,
  surroundings: Surroundings,
  internal: readonly string[] = [],
): EnvironmentValues {
  const problems: Problem[] = [];
  const stack = new Map<string, Written>();
  const service = new Map<string, Written>();
  const destinations = new Map<string, Map<string, Written>>();
  const variables = createVariables(vocabulary);

  const put = (layer: Map<string, Written>, entry: KeyEntry, name: string): void => {
    const { written, problems: found } = readVariable(environment, name, entry, surroundings);
    const misplaced = written && place(layer, vocabulary, entry, written, {});
    problems.push(...found, ...(misplaced ? [misplaced] : []));
  };
  const layerOf = ({ entry, destination }: Target): Map<string, Written> => {
    if (destination === undefined) return entry.level === 'stack' ? stack : service;
    const layer = destinations.get(destination) ?? new Map<string, Written>();
    destinations.set(destination, layer);
    return layer;
  };

  const ours = Object.keys(environment).filter(
    (name) => name.startsWith(variablePrefix) && environment[name] && !isInternal(name, internal),
  );
  const done = new Set<string>();
  for (const name of ours.sort()) {
    // The exact name first: `postgres.password-file` is a key of its own, not the file of a `postgres.password`.
    const base = variables.find(name) ? name : name.replace(/_FILE$/, '');
    const target = variables.find(base);
    if (!target) {
      if (isSecretName(name)) surroundings.redactor.add(environment[name] ?? '');
      const origin: Origin = { from: 'environment', variable: name };
      problems.push(unknownKey(origin, name, name.slice(variablePrefix.length), variables.candidates(name), {}));
    } else if (!done.has(base)) {
      done.add(base);
      put(layerOf(target), target.entry, base);
    }
  }
  const fallback = (entries: Iterable<KeyEntry>): Layer => {
    const layer = new Map<string, Written>();
    for (const entry of entries) for (const name of factsOf(entry.schema).variables ?? []) put(layer, entry, name);
    return layer;
  };
  const deFacto = fallback(vocabulary.stack.values());
  const awsLogin = fallback(vocabulary.destination.values());
  return { stack, deFacto, service, destinations, awsLogin, problems };
}

// --- utils ---

function isInternal(name: string, internal: readonly string[]): boolean {
  return name === configVariable || name.startsWith('LIFEBOAT_TEST') || internal.includes(name);
}

/** The value of NAME or of the file that NAME_FILE names; both is an error. */
function readVariable(environment: Environment, name: string, entry: KeyEntry, surroundings: Surroundings): FileValue {
  const value = environment[name] || undefined;
  const path = environment[`${name}_FILE`] || undefined;
  const isSecret = entry.kind === 'secret';
  const origin: Origin = { from: 'environment', variable: name };
  if (value !== undefined && path !== undefined) {
    if (isSecret) surroundings.redactor.add(value);
    const message = `both ${name} and ${name}_FILE are set`;
    const facts = { severity: 'error', effect: 'cannot-start', origin, key: entry.key } as const;
    return { problems: [problem({ ...facts, message, hint: 'Remove one of them' })] };
  }
  if (value !== undefined) {
    return { written: isSecret ? secretIn(value, origin, surroundings) : { value, origin }, problems: [] };
  }
  if (path === undefined) return { problems: [] };
  return readValueFile(path, { from: 'environment', variable: `${name}_FILE`, file: path }, isSecret, surroundings);
}
