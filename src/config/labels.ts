import { nearest } from '../domain/nearest.ts';
import { variableOf } from './key.ts';
import { labelText, type Origin } from './origin.ts';
import { type Problem, problem, subject } from './problems.ts';
import { isSecretName } from './secret.ts';
import { readServiceLayers, type ServiceLayers, type ServiceValue } from './service-layers.ts';
import { serviceEntry, type Vocabulary } from './vocabulary.ts';

/**
 * Reads the labels of one service. A label may only say something about its own container: keys of the sidecar are
 * refused, and secrets are (everybody who may inspect a container reads its labels). Labels of others are left alone.
 */
export function readLabels(
  labels: Readonly<Record<string, string>>,
  service: string,
  vocabulary: Vocabulary,
  prefix: string,
): ServiceLayers {
  const values: ServiceValue[] = [];
  const problems: Problem[] = [];
  for (const [label, value] of Object.entries(labels)) {
    // Shortened at once: whoever prints a problem as JSON shall not have to think of it.
    const origin: Origin = { from: 'label', label: labelText(label), service };
    if (!label.startsWith(`${prefix}.`)) {
      const stray = strayLabel(label, origin, prefix, service);
      if (stray) problems.push(stray);
      continue;
    }
    const key = label.slice(prefix.length + 1);
    const refused = refusal(key, origin, vocabulary, service);
    if (refused) problems.push(refused);
    else values.push({ key, written: label, value, origin });
  }
  const layers = readServiceLayers(values, vocabulary, service);
  return { ...layers, problems: [...problems, ...layers.problems] };
}

/** Labels of ours that an image brings: whoever made it has no say here. */
export function bakedLabels(
  labels: Readonly<Record<string, string>>,
  service: string,
  prefix: string,
): readonly Problem[] {
  const ours = Object.keys(labels).filter((label) => label.startsWith(`${prefix}.`));
  return ours.map((each) => {
    const origin: Origin = { from: 'label', label: labelText(each), service };
    return problem({
      service,
      severity: 'warning',
      effect: 'ignored',
      origin,
      message: `${subject(origin, each)} comes from its image, which configures nothing here`,
      hint: 'If it is meant, write it in compose.yaml with a value of your own',
    });
  });
}

// --- utils ---

function refusal(key: string, origin: Origin, vocabulary: Vocabulary, service: string): Problem | undefined {
  const [, source, inner = key] = /^source\.([^.]+)\.(.+)$/s.exec(key) ?? [];
  if (isSecretName(inner) && !serviceEntry(vocabulary, inner)) {
    const engine = serviceEntry(vocabulary, inner.split('.')[0] ?? '')?.engine;
    const concerned = source === undefined ? engine : labelText(source);
    return problem({
      service,
      ...(concerned === undefined ? {} : { source: concerned }),
      severity: 'error',
      effect: 'source-disabled',
      origin,
      message: `${subject(origin, key)} holds a secret (not shown); everybody who may inspect a container reads its labels`,
      hint: 'Name the variable or file inside the container that holds it (password-env, password-file), and change the secret',
    });
  }
  if (serviceEntry(vocabulary, inner) || !isOfSidecar(inner, vocabulary)) return undefined;
  return problem({
    service,
    severity: 'error',
    effect: 'ignored',
    origin,
    message: `${subject(origin, key)} is a setting of the sidecar, which no label can change`,
    hint: `Set ${labelText(variableOf(inner))} in the environment of the sidecar instead`,
  });
}

function isOfSidecar(key: string, vocabulary: Vocabulary): boolean {
  return vocabulary.stack.has(key) || key.startsWith('dest.') || key === 'config';
}

/** A label that looks as if it were meant for us: `lifeboat` alone, or a prefix with a slip in it. */
function strayLabel(label: string, origin: Origin, prefix: string, service: string): Problem | undefined {
  const own = prefix.split('.').length;
  const start = label
    .split('.', own + 1)
    .slice(0, own)
    .join('.');
  const isOurs = start === prefix || (label.length > start.length && nearest(start, [prefix]) !== undefined);
  if (!isOurs) return undefined;
  const guess = start === prefix ? `${prefix}.enable` : `${prefix}${label.slice(start.length)}`;
  return problem({
    service,
    severity: 'warning',
    effect: 'ignored',
    origin,
    message: `unknown ${subject(origin, label)} – did you mean ${labelText(guess)}?`,
  });
}
