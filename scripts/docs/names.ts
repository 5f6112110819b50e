import { readEnvironment } from '../../src/config/environment.ts';
import { createVocabulary, serviceEntry } from '../../src/config/vocabulary.ts';
import { engines } from '../../src/engines/index.ts';
import type { Check } from './page.ts';

const vocabulary = createVocabulary(engines);
/** Not configuration: the configuration file itself, and what the project's own tests read. */
const otherVariables = /^LIFEBOAT_(?:CONFIG|TEST|BENCH)/;
/** Not labels of a service: files, and what Lifeboat writes on its own helpers. */
const otherKeys = /^(?:json|schema\.json|role|owner|run)$/;

/** A page names no variable and no label that does not exist. */
export const names: Check = function* ({ path, text }) {
  // That reference is made from the schema, and lists what is not supported yet.
  if (path.endsWith('reference/configuration.md')) return;
  for (const { 0: name, 1: next, index } of text.matchAll(/\bLIFEBOAT_[A-Z0-9_]+(?=([<*…{]?))/g)) {
    if (next || name.endsWith('_') || otherVariables.test(name)) continue;
    if (!isVariable(name)) yield { at: index, what: `there is no variable ${name}` };
  }
  for (const { 1: key = '', index } of text.matchAll(
    /(?<![\w./@-])lifeboat\.([a-z][a-z0-9-]*(?:\.[a-z][a-z0-9-]*)*)(?!\.?[<*…\w])/g,
  )) {
    const inner = /^source\.[^.]+\.(.+)$/.exec(key)?.[1] ?? key;
    if (!otherKeys.test(key) && !serviceEntry(vocabulary, inner))
      yield { at: index, what: `there is no label lifeboat.${key}` };
  }
};

/** The reader of the environment knows every form of every name. */
function isVariable(name: string): boolean {
  const surroundings = { redactor: { add: () => {} }, now: new Date() } as never;
  const { problems } = readEnvironment({ [name]: '/nonexistent' }, vocabulary, surroundings);
  return !problems.some(({ message }) => /unknown|not supported/.test(message));
}
