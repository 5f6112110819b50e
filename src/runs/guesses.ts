import type { Container } from '../domain/types.ts';
import type { Survey } from '../engines/engine.ts';
import type { Resolved, Source, Uncovered } from './source.ts';

/** How long an answer holds; a look costs a walk through the container's mounts. */
const holdsMs = 5 * 60_000;

export interface GuessChecker {
  /** The sources without those that were only guessed and turned out to hold nothing; these are listed as not covered. */
  check(resolved: Resolved, now: Date, look?: 'anew'): Promise<Resolved>;
}

/**
 * An engine that recognises a container by guess is asked to look before its source counts: an app without a SQLite file
 * is no source, not one that fails every night. When looking fails, the source stays, and its backup says why.
 */
export function createGuessChecker(survey: (source: Source) => Promise<Survey>): GuessChecker {
  const known = new Map<string, { readonly at: number; readonly nothing: string | undefined }>();

  async function whyNothing(source: Source, now: Date, look?: 'anew'): Promise<string | undefined> {
    const key = keyOf(source, source.container);
    const before = known.get(key);
    if (before && !look && now.getTime() - before.at < holdsMs) return before.nothing;
    const nothing = await survey(source).then(
      ({ items, left }) => (items.length > 0 ? undefined : reasonOf(left)),
      () => undefined,
    );
    known.set(key, { at: now.getTime(), nothing });
    return nothing;
  }

  return {
    check: async ({ sources, uncovered }, now, look) => {
      const answers = await Promise.all(
        sources.map(async (source) => ({
          source,
          nothing: source.isGuess ? await whyNothing(source, now, look) : undefined,
        })),
      );
      const empty: Uncovered[] = answers.flatMap(({ source, nothing }) =>
        nothing === undefined
          ? []
          : [{ stack: source.stack, service: source.service, what: source.source, why: nothing }],
      );
      const kept = answers.filter(({ nothing }) => nothing === undefined).map(({ source }) => source);
      return { sources: kept, uncovered: [...uncovered, ...empty] };
    },
  };
}

function keyOf({ name, stack }: Source, { id, startedAt }: Container): string {
  return JSON.stringify([stack, name, id, startedAt]);
}

function reasonOf(left: Survey['left']): string {
  return left.map(({ name, why }) => `${name}: ${why}`).join('; ') || 'nothing of this kind was found';
}
