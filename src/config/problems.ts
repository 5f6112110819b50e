import { exitCodes, LifeboatError } from '../domain/errors.ts';
import { withoutUserinfo } from '../domain/redact.ts';
import { labelText, type Origin, originText } from './origin.ts';

/** What a problem does to the running of Lifeboat. */
export type Effect = 'ignored' | 'default-used' | 'source-disabled' | 'cannot-start';

/** One thing that is wrong with the configuration. All are collected and told at once; none holds a secret. */
export interface Problem {
  readonly severity: 'warning' | 'error';
  readonly effect: Effect;
  readonly origin: Origin;
  /** Lower case, no full stop, says what was found. */
  readonly message: string;
  /** What to do, one or more sentences. */
  readonly hint: string;
  /** The service it concerns; absent for the sidecar itself. */
  readonly service?: string;
  /** The engine or extra source it concerns; absent when it is every source of the service. */
  readonly source?: string;
  /** The key of the reference that explains it. */
  readonly key?: string;
}

/** A problem before its hint was completed. */
export type ProblemFacts = Omit<Problem, 'hint'> & { readonly hint?: string };

/** A problem with the hint completed by where to fix it. */
export function problem(facts: ProblemFacts): Problem {
  return {
    ...facts,
    message: withoutUserinfo(facts.message),
    hint: [facts.hint, fixFor(facts.origin)].filter((part) => part !== undefined).join('. '),
  };
}

const effectTexts: Readonly<Record<Effect, string>> = {
  ignored: 'Ignored',
  'default-used': 'The default is used instead',
  'source-disabled': 'Not backed up until this is mended',
  'cannot-start': 'Lifeboat does not start like this',
};

/** Where all keys are explained. */
const referencePage = 'docs/reference/configuration.md';

/** The problem for a terminal or a log: what, what follows and where to mend it, where to read on. */
export function problemText(each: Problem): string {
  const lines = [
    `${each.severity === 'error' ? 'ERROR' : 'WARN '} ${sentence(each.message)}`,
    `${effectTexts[each.effect]}. ${each.hint}`,
    `${referencePage}${each.key === undefined ? '' : `#${anchorOf(each.key)}`}`,
  ];
  return lines.join('\n      ');
}

/** The problem as a GitHub Actions annotation (`config check --format github`). */
export function githubAnnotation(each: Problem): string {
  const escaped = (text: string) => text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A');
  const property = (text: string) => escaped(text).replaceAll(':', '%3A').replaceAll(',', '%2C');
  const place =
    each.origin.from === 'file'
      ? `file=${property(each.origin.path)},line=${each.origin.line},col=${each.origin.column},`
      : '';
  return `::${each.severity} ${place}title=${property('Lifeboat configuration')}::${escaped(`${sentence(each.message)}${each.message.endsWith('?') ? '' : '.'} ${each.hint}`)}`;
}

/** `label lifeboat.x on service y`, or the variable or line, as the subject of a message. */
export function subject(origin: Origin, written: string): string {
  return origin.from === 'file'
    ? `key ${labelText(origin.key ?? written)} in ${originText(origin)}`
    : originText(origin);
}

/** The heading of a key in the reference. */
export function anchorOf(key: string): string {
  return key.replace(/[^a-z0-9]+/g, '-');
}

/**
 * Why Lifeboat must not start with these problems, undefined when it may. With `strict` every problem is a reason. The
 * process ends with exit code 78 (`exitCodes.cannotStart`), which the error's context carries.
 */
export function startRefusal(problems: readonly Problem[], strict: boolean): LifeboatError | undefined {
  const reasons = problems.filter((each) => strict || each.effect === 'cannot-start');
  const [first] = reasons;
  if (!first) return undefined;
  const others = reasons.length === 1 ? '' : ` (and ${reasons.length - 1} more)`;
  return new LifeboatError('CONFIG_INVALID', `cannot start: ${first.message}${others}`, {
    hint: strict && first.effect !== 'cannot-start' ? `LIFEBOAT_STRICT is set. ${first.hint}` : first.hint,
    context: { exitCode: exitCodes.cannotStart, problems: reasons.length },
  });
}

// --- utils ---

function fixFor(origin: Origin): string | undefined {
  switch (origin.from) {
    case 'default':
      return undefined;
    case 'environment':
      return `Fix ${origin.variable} in the environment of the sidecar, then: docker compose up -d sidecar`;
    case 'file':
      return `Fix ${origin.path}, line ${origin.line}, then: docker compose restart sidecar`;
    case 'label': {
      const service = labelText(origin.service);
      return `Fix it in compose.yaml, then: docker compose up -d ${service} (this recreates ${service})`;
    }
  }
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
