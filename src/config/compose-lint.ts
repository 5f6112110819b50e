import { dirname } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import type { Environment } from './environment.ts';
import { defaultConfigPath } from './file.ts';
import { type Config, type ConfigSources, loadConfig } from './load.ts';
import { byDefault, labelText } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import { serviceSettings } from './service-settings.ts';
import { configVariable, variablePrefix } from './variables.ts';

/**
 * Checks a stack before it is deployed (`docker compose config --format json | lifeboat config check -`): the labels of
 * every service and the environment of the sidecar, without a socket and without reading a file. The redactor learns the
 * secrets of that environment. Throws USAGE when the text is not what Compose prints.
 */
export function lintCompose(json: string, sources: Omit<ConfigSources, 'environment'>): readonly Problem[] {
  const configOf = (environment: Environment) => loadConfig({ ...sources, environment, readsFiles: false });
  const { services, volumes } = parse(json);
  const stack = [...mapOf(services)].map(([name, each]) => ({ name, service: mapOf(each) }));
  const sidecars = stack.flatMap(({ name, service }) => {
    const environment = textsOf(service.get('environment'));
    const isSidecar = Object.keys(environment).some((variable) => variable.startsWith(variablePrefix));
    return isSidecar ? [{ name, config: configOf(environment), hasFile: mentionsFile(service) }] : [];
  });
  const config = sidecars[0]?.config ?? configOf({});
  return [
    ...sidecars.flatMap((sidecar) => sidecarProblems(sidecar.name, sidecar.config, sidecar.hasFile)),
    ...stack.flatMap(({ name, service }) => [
      ...serviceSettings({ service: name, labels: textsOf(service.get('labels')) }, config).problems,
      ...misplacedLabels(name, textsOf(mapOf(service.get('deploy')).get('labels')), config),
    ]),
    ...volumeLabels(mapOf(volumes), config),
  ];
}

// --- utils ---

function parse(json: string): { services?: unknown; volumes?: unknown } {
  const usage = (cause?: unknown) =>
    new LifeboatError('USAGE', 'the input is not what "docker compose config --format json" prints', {
      hint: 'docker compose config --format json | lifeboat config check -',
      cause,
    });
  let parsed: unknown;
  try {
    parsed = JSON.parse(json);
  } catch (error) {
    throw usage(error);
  }
  const root = mapOf(parsed);
  if (!root.has('services')) throw usage();
  return { services: root.get('services'), volumes: root.get('volumes') };
}

/** Problems of the sidecar's environment. Where a configuration file may add to it, nothing is said to be missing. */
function sidecarProblems(service: string, config: Config, mayHaveFile: boolean): readonly Problem[] {
  const own = config.problems.filter((each) => !mayHaveFile || each.origin.from !== 'default');
  return own.map((each) => ({ ...each, service }));
}

function mentionsFile(service: ReadonlyMap<string, unknown>): boolean {
  const text = JSON.stringify([...service.values()]);
  return text.includes(dirname(defaultConfigPath)) || text.includes(configVariable);
}

/** Labels below `deploy` are those of a Swarm service; no container has them. */
function misplacedLabels(
  service: string,
  labels: Readonly<Record<string, string>>,
  config: Config,
): readonly Problem[] {
  return ours(labels, config).map((label) =>
    problem({
      service,
      severity: 'warning',
      effect: 'ignored',
      origin: { from: 'label', label, service },
      message: `label ${labelText(label)} of service ${labelText(service)} stands below deploy, where containers do not get it`,
      hint: 'Move it to the labels of the service itself',
    }),
  );
}

function volumeLabels(volumes: ReadonlyMap<string, unknown>, config: Config): readonly Problem[] {
  return [...volumes].flatMap(([name, volume]) =>
    ours(textsOf(mapOf(volume).get('labels')), config).map((label) =>
      problem({
        severity: 'warning',
        effect: 'ignored',
        origin: byDefault,
        message: `label ${labelText(label)} on volume ${labelText(name)} is not read: Docker cannot change the labels of a volume that exists`,
        hint: 'Label the service instead',
      }),
    ),
  );
}

function ours(labels: Readonly<Record<string, string>>, { settings }: Config): readonly string[] {
  return Object.keys(labels).filter((label) => label.startsWith(`${settings.labelPrefix}.`));
}

function mapOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null && !Array.isArray(value) ? Object.entries(value) : []);
}

/** A mapping of texts in either of Compose's forms. Compose writes `$$` for a dollar sign; a container gets `$`. */
function textsOf(value: unknown): Readonly<Record<string, string>> {
  const pairs = Array.isArray(value)
    ? value.map((line): [string, string] => {
        const [, name, text] = /^([^=]*)=?(.*)$/s.exec(String(line)) ?? [];
        return [name ?? '', text ?? ''];
      })
    : [...mapOf(value)].map(([name, each]): [string, string] => [name, each === null ? '' : String(each)]);
  return Object.fromEntries(pairs.map(([name, each]) => [name, each.replaceAll('$$', () => '$')]));
}
