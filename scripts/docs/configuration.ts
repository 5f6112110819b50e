import { parse } from 'yaml';
import { lintCompose } from '../../src/config/compose-lint.ts';
import { loadConfig } from '../../src/config/load.ts';
import type { Problem } from '../../src/config/problems.ts';
import { createRedactor } from '../../src/domain/redact.ts';
import { engines } from '../../src/engines/index.ts';
import type { Check } from './page.ts';

/**
 * What a page tells people to write is taken: YAML is YAML, and what it says about Lifeboat has no problem `config check`
 * would tell. A block is a Compose file, a part of one, or (`# config.yaml` in its first line) the configuration file.
 */
export const configuration: Check = function* ({ blocks, spans }) {
  for (const { language, text, at } of blocks) {
    if (language === 'yaml') for (const what of yamlProblems(text)) yield { at, what };
  }
  for (const { text, at } of spans) {
    const written = /^(lifeboat\.[\w.-]+|LIFEBOAT_\w+)(?:: |=)(.+)$/s.exec(text);
    if (written && !text.includes('…'))
      for (const what of yamlProblems(`${written[1]}: ${written[2]}`)) yield { at, what };
  }
};

// --- utils ---

type Fields = Record<string, unknown>;

/** So that a part about one thing is not blamed for what it leaves out. */
const around = { LIFEBOAT_DEST_LOCAL_URL: 'file:///backups', LIFEBOAT_DEST_OFFSITE_URL: 's3://b?region=x' };
const channels = { LIFEBOAT_NOTIFY_SLACK_URL: 'https://s', LIFEBOAT_NOTIFY_WEBHOOK_URL: 'https://w' };
const composeKeys = ['name', 'include', 'services', 'volumes', 'networks', 'secrets', 'configs'];
const serviceKeys = [
  ...[
    'cap_drop',
    'command',
    'container_name',
    'depends_on',
    'environment',
    'group_add',
    'healthcheck',
    'image',
    'init',
  ],
  ...['labels', 'networks', 'ports', 'read_only', 'restart', 'secrets', 'security_opt', 'stop_grace_period', 'tmpfs'],
  ...['user', 'volumes'],
];

function yamlProblems(text: string): readonly string[] {
  let read: unknown;
  try {
    read = parse(dedent(text));
  } catch (error) {
    return [`this is no YAML: ${error instanceof Error ? error.message : String(error)}`];
  }
  // A list is the part of a file that belongs to another program.
  if (Array.isArray(read)) return [];
  if (typeof read !== 'object' || read === null) return ['this YAML says nothing'];
  if (text.startsWith('# config.yaml')) return fileProblems(text);
  const fields = read as Fields;
  const keys = Object.keys(fields);
  if (keys.every((key) => key.startsWith('LIFEBOAT_'))) return serviceProblems({ environment: fields });
  if (keys.every((key) => key.startsWith('lifeboat.'))) return serviceProblems({ labels: fields });
  if (keys.every((key) => serviceKeys.includes(key))) return serviceProblems(fields);
  const strange = keys.filter((key) => !composeKeys.includes(key) && !key.startsWith('x-'));
  return [...strange.map((key) => `a Compose file has no ${key}`), ...composeProblems(fields)];
}

function serviceProblems(service: Fields): readonly string[] {
  return composeProblems({ services: { service } });
}

function composeProblems(file: Fields): readonly string[] {
  const services = Object.entries((file.services ?? {}) as Record<string, Fields>);
  const strange = services.flatMap(([name, service]) =>
    Object.keys(service)
      .filter((key) => !serviceKeys.includes(key))
      .map((key) => `a service has no ${key} (${name})`),
  );
  const whole = Object.fromEntries(
    services.map(([name, service]) => [name, { ...service, ...environmentOf(service) }]),
  );
  const stack = JSON.stringify({ ...file, services: { ...whole, '-': { environment: { ...around, ...channels } } } });
  return [...strange, ...texts(lintCompose(stack, { engines, redactor: createRedactor() }))];
}

/** What says something of ours is a sidecar: with the drop-in's variables it is a whole one. */
function environmentOf({ environment = {} }: Fields): Fields {
  const variables = environment as Fields;
  const isSidecar = Object.keys(variables).some((name) => name.startsWith('LIFEBOAT_'));
  if (!isSidecar) return {};
  const given = Object.keys(variables);
  const missing = Object.entries({ ...around, ...channels }).filter(([name]) => !given.includes(`${name}_FILE`));
  return { environment: { ...Object.fromEntries(missing), ...variables } };
}

function fileProblems(text: string): readonly string[] {
  const bytes = Buffer.from(text);
  const disk = {
    uid: 0,
    gid: 0,
    stat: () => ({ isFile: true, isFolder: false, bytes: bytes.length, mode: 0o600, uid: 0, gid: 0 }),
    read: () => bytes,
  };
  return texts(
    loadConfig({ environment: { LIFEBOAT_CONFIG: '/config.yaml' }, engines, redactor: createRedactor(), disk })
      .problems,
  );
}

function texts(problems: readonly Problem[]): readonly string[] {
  return problems.map(({ message }) => message);
}

function dedent(text: string): string {
  const depth = Math.min(...Array.from(text.matchAll(/^ *(?=\S)/gm), ([indent]) => indent.length));
  return text.replaceAll(new RegExp(`^ {${depth}}`, 'gm'), '');
}
