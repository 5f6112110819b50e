import type { z } from 'zod';
import type { Scope } from './layer.ts';
import { byDefault } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import { invalidValue, type Rows } from './settle.ts';
import { engineSwitch } from './value.ts';
import type { EngineWords, Vocabulary } from './vocabulary.ts';

/** What the configuration says about one engine on one service. */
export interface EngineChoice {
  readonly engine: string;
  /** `auto` leaves it to recognition; an engine whose bare option is set is on. */
  readonly isOn: 'auto' | boolean;
  /** Whether anything was written about it on this service. */
  readonly isMentioned: boolean;
  /** Parsed by the engine's own zod object; undefined when there is a failure, so that nobody uses half of them. */
  readonly options: unknown;
  /** Why this engine must not back this service up. */
  readonly failure: Problem | undefined;
}

/** The options of an engine before anybody has asked what else is wrong with the service. */
export interface ParsedOptions extends Omit<EngineChoice, 'failure'> {
  readonly problems: readonly Problem[];
}

/** Parses the options of an engine out of the rows, whose single values are valid already. */
export function parseOptions(
  words: EngineWords,
  vocabulary: Vocabulary,
  rows: Rows,
  isMentioned: boolean,
  scope: Scope,
): ParsedOptions {
  const written = [...vocabulary.service.values()].flatMap(({ engine, key, option }) => {
    const value = engine === words.name ? rows.get(key)?.value : undefined;
    return option !== undefined && typeof value === 'string' ? [[option, value] as const] : [];
  });
  const result = words.options.safeParse(Object.fromEntries(written));
  const problems = result.success
    ? []
    : result.error.issues.map((issue) => complaintAbout(issue, words, vocabulary, rows, scope));
  const facts = { engine: words.name, isOn: switchOf(words, rows), isMentioned };
  return { ...facts, options: result.success ? result.data : undefined, problems };
}

// --- utils ---

function switchOf(words: EngineWords, rows: Rows): 'auto' | boolean {
  const row = rows.get(words.name)?.value;
  if (typeof row === 'string') {
    const chosen = engineSwitch.parse(row);
    if (chosen !== 'auto') return chosen;
  }
  return words.bare && rows.has(words.bare.key) ? true : 'auto';
}

function complaintAbout(
  issue: z.core.$ZodIssue,
  words: EngineWords,
  vocabulary: Vocabulary,
  rows: Rows,
  scope: Scope,
): Problem {
  const entry = [...vocabulary.service.values()].find(
    ({ engine, option }) => engine === words.name && option === issue.path[0],
  );
  const row = entry && rows.get(entry.key);
  if (entry && row) return invalidValue(entry, row.origin, issue.message, scope);
  // Something is missing, or the options do not fit together: whatever was written about the engine is the place to look.
  const near = [...rows].find(([key]) => key === words.name || key.startsWith(`${words.name}.`))?.[1];
  return problem({
    ...scope,
    ...(scope.source === undefined ? { source: words.name } : {}),
    severity: 'error',
    effect: 'source-disabled',
    origin: near?.origin ?? byDefault,
    key: entry?.key ?? words.name,
    message: entry
      ? `option ${entry.key} must be set`
      : `the options of ${words.name} do not fit together: ${issue.message}`,
  });
}
