import { type Layer, place, type Scope, type Written } from './layer.ts';
import { labelText, type Origin } from './origin.ts';
import { type Problem, problem, subject } from './problems.ts';
import { unknownKey } from './unknown-key.ts';
import { serviceEntry, type Vocabulary } from './vocabulary.ts';

/** One key of a service as a carrier has it. */
export interface ServiceValue {
  /** Without prefix: `schedule`, `postgres.user`, `source.invoices.command`. */
  readonly key: string;
  /** As the person wrote it, for messages: `lifeboat.schedule`, `services.db.schedule`. */
  readonly written: string;
  readonly value: string;
  readonly origin: Origin;
}

/** What one carrier says about one service: the service itself, and its extra sources by name. */
export interface ServiceLayers {
  readonly own: Layer;
  readonly sources: ReadonlyMap<string, Layer>;
  readonly problems: readonly Problem[];
}

const sourceKey = /^source\.([^.]*)(?:\.(.*))?$/s;
const sourceName = /^[a-z0-9][a-z0-9_-]{0,62}$/;

/** Sorts the keys of a service into layers. The scope without a service means the defaults on the sidecar. */
export function readServiceLayers(
  values: Iterable<ServiceValue>,
  vocabulary: Vocabulary,
  service?: string,
): ServiceLayers {
  const own = new Map<string, Written>();
  const sources = new Map<string, Map<string, Written>>();
  const problems: Problem[] = [];
  const scope: Scope = service === undefined ? {} : { service };

  for (const each of values) {
    const [, source, inner = ''] = (service === undefined ? null : sourceKey.exec(each.key)) ?? [];
    if (source !== undefined && !isSourceName(source, vocabulary)) {
      problems.push(badSourceName(each, scope));
      continue;
    }
    const key = source === undefined ? each.key : inner;
    const entry = serviceEntry(vocabulary, key);
    if (!entry) {
      const candidates = [...vocabulary.service.keys(), ...vocabulary.aliases.keys()];
      problems.push(unknownKey(each.origin, each.written, key, candidates, scope));
      continue;
    }
    const layer = source === undefined ? own : (sources.get(source) ?? new Map<string, Written>());
    if (source !== undefined) sources.set(source, layer);
    const misplaced = place(layer, vocabulary, entry, each, source === undefined ? scope : { ...scope, source });
    if (misplaced) problems.push(misplaced);
  }
  return { own, sources, problems };
}

// --- utils ---

function isSourceName(name: string, vocabulary: Vocabulary): boolean {
  // `db/postgres` must keep meaning what the engine found.
  const isTaken = vocabulary.engines.has(name) || vocabulary.aliases.has(name);
  return sourceName.test(name) && !isTaken;
}

function badSourceName(each: ServiceValue, scope: Scope): Problem {
  return problem({
    ...scope,
    // Concerns the extra source alone; its name must not be taken for that of an engine.
    source: labelText(each.key.split('.', 2).join('.')),
    severity: 'error',
    effect: 'source-disabled',
    origin: each.origin,
    message: `${subject(each.origin, each.written)} names an extra source in a way that cannot be used`,
    hint: 'Names are lower-case letters, digits, - and _, and not the name of an engine; for example source.invoices.command',
  });
}
