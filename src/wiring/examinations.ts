import type { Config } from '../config/load.ts';
import type { Problem } from '../config/problems.ts';
import type { Check } from '../domain/check.ts';
import type { Examinations } from '../runs/doctor/doctor.ts';
import { problemsOf, serviceChoices } from './configuration.ts';
import type { EngineLink } from './engine-link.ts';
import { examineEngine } from './examine-engine.ts';
import { examineHost, examineNotifications } from './examine-here.ts';

/** What `lifeboat doctor` looks at beside destinations and sources. */
export function createExaminations(
  config: Config,
  environment: NodeJS.ProcessEnv,
  engine: () => Promise<EngineLink>,
): Examinations {
  const { settings } = config;
  return {
    engine: (signal) => examineEngine(settings, environment, signal),
    host: () => examineHost(settings),
    configuration: async (signal) => {
      // Without the Engine the labels of services are not known, which the checks of the Engine say.
      const choices = await engine()
        .then((link) => serviceChoices(config, link, signal))
        .catch(() => []);
      signal.throwIfAborted();
      return [
        ...examineConfig([...config.problems, ...problemsOf(config, choices)]),
        ...examineNotifications(settings),
      ];
    },
  };
}

// --- utils ---

/** Every problem of the configuration is one check. */
function examineConfig(problems: readonly Problem[]): readonly Check[] {
  const category = 'configuration';
  if (problems.length === 0)
    return [{ category, name: 'configuration', status: 'pass', message: 'no problem was found' }];
  return problems.map(({ severity, message, hint, service }) => ({
    category,
    name: service ?? 'sidecar',
    status: severity === 'error' ? 'fail' : 'warn',
    message,
    hint,
  }));
}
