import type { Checked, Configuration } from '../cli/config.ts';
import { lintCompose } from '../config/compose-lint.ts';
import { configExample } from '../config/example.ts';
import { configJsonSchema } from '../config/json-schema.ts';
import type { Config } from '../config/load.ts';
import { originText } from '../config/origin.ts';
import { githubAnnotation, type Problem, problemText } from '../config/problems.ts';
import { type ServiceChoice, serviceSettings, strangers } from '../config/service-settings.ts';
import { shownValues, showText } from '../config/show.ts';
import { createVocabulary } from '../config/vocabulary.ts';
import { discover } from '../docker/discovery.ts';
import { asLifeboatError } from '../domain/errors.ts';
import { createRedactor } from '../domain/redact.ts';
import { engines } from '../engines/index.ts';
import { cleanTexts } from '../runs/clean-texts.ts';
import { type EngineLink, internalVariables, linkEngine } from './engine-link.ts';
import { readConfig } from './world.ts';

/** The configuration of this environment; nothing is read before it is asked for, and nothing is refused. */
export const configuration: Configuration = {
  check: async (signal) => {
    const { config, redactor } = readConfig(process.env);
    const { choices, unseen } = await lookAtServices(config, signal);
    const problems = [...config.problems, ...(choices ? problemsOf(config, choices) : [])];
    return { ...checked(problems, (text) => redactor.redact(text)), unseen };
  },
  checkCompose: (json) => {
    const redactor = createRedactor();
    return checked(lintCompose(json, { engines, redactor, internalVariables }), (text) => redactor.redact(text));
  },
  show: async (signal) => {
    const { config, redactor } = readConfig(process.env);
    const { choices = [], unseen } = await lookAtServices(config, signal);
    const values = shownValues(config, choices);
    return { values, text: (withOrigins) => redactor.redact(showText(values, withOrigins)), unseen };
  },
  example: () => configExample(createVocabulary(engines)),
  schema: () => configJsonSchema(createVocabulary(engines)),
};

/** What holds for each service in scope; containers of one service count once. */
export async function serviceChoices(
  config: Config,
  { api, scope, self }: EngineLink,
  signal: AbortSignal,
): Promise<readonly ServiceChoice[]> {
  const found = await discover(api, scope, self?.id, signal);
  const services = new Map(found.map((each) => [JSON.stringify([each.stack, each.service]), each]));
  return [...services.values()].map((container) => serviceSettings(container, config));
}

/** What is wrong with what was written about the services. */
export function problemsOf(config: Config, choices: readonly ServiceChoice[]): readonly Problem[] {
  const services = choices.map(({ service }) => service);
  return [...strangers(config, services), ...choices.flatMap((choice) => choice.problems)];
}

// --- utils ---

function checked(problems: readonly Problem[], clean: (text: string) => string): Checked {
  const told = [...new Map(problems.map((each) => [JSON.stringify([each.message, each.hint]), each])).values()];
  return {
    problems: told.map(({ origin, ...each }) => ({ ...cleanTexts(each, clean), origin: originText(origin) })),
    text: (format) => told.map((each) => clean(format === 'github' ? githubAnnotation(each) : problemText(each))),
  };
}

/** Without an Engine it says why it does not know. */
async function lookAtServices(
  config: Config,
  signal: AbortSignal,
): Promise<{ choices?: readonly ServiceChoice[]; unseen?: string }> {
  try {
    return { choices: await serviceChoices(config, await linkEngine(config.settings, process.env), signal) };
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = asLifeboatError(error);
    return { unseen: `labels of services are left out: ${message}${hint ? ` – ${hint}` : ''}` };
  }
}
