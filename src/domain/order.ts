import type { Container } from './types.ts';

/**
 * The containers that depend on the service, directly or through others, in the order in which they must be stopped:
 * each before what it depends on. Starting is the reverse. A circle (Compose refuses one) is cut where it closes.
 */
export function dependants(service: string, stack: readonly Container[]): readonly Container[] {
  const affected = new Set<string>();
  const visit = (name: string): void => {
    for (const container of stack) {
      if (affected.has(container.service) || container.service === service) continue;
      if (!container.dependsOn.some((dependency) => dependency.service === name)) continue;
      affected.add(container.service);
      visit(container.service);
    }
  };
  visit(service);
  return stopOrder(stack.filter((container) => affected.has(container.service)));
}

/** Each container before the ones it depends on. */
export function stopOrder(containers: readonly Container[]): readonly Container[] {
  const ordered: Container[] = [];
  const seen = new Set<string>();
  const place = (service: string): void => {
    if (seen.has(service)) return;
    seen.add(service);
    const own = containers.filter((container) => container.service === service);
    for (const container of own) for (const dependency of container.dependsOn) place(dependency.service);
    ordered.push(...own);
  };
  for (const container of containers) place(container.service);
  return ordered.reverse();
}
