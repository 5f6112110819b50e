import type { z } from 'zod';
import type { Channel } from '../domain/channel.ts';
import type { Destination } from './destinations.ts';
import type { ServiceKeys, StackKeys } from './schema.ts';
import { destinationName } from './variables.ts';

/** What holds for the sidecar. */
export interface Settings {
  /** Undefined means the name of the Compose project. */
  readonly name: string | undefined;
  readonly timezone: string;
  readonly discovery: 'project' | 'projects' | 'host';
  /** Compose projects to look at when `discovery` is `projects`. */
  readonly projects: readonly string[];
  readonly labelPrefix: string;
  readonly isStrict: boolean;
  readonly concurrency: number;
  readonly jitterMs: number;
  readonly runOnStart: boolean;
  readonly dataDir: string;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
  readonly logFormat: 'text' | 'json';
  readonly restoreDelayMs: number;
  readonly requireConfirm: boolean;
  readonly docker: { readonly host: string | undefined; readonly apiVersion: string | undefined };
  readonly destinations: readonly Destination[];
  readonly channels: readonly Channel[];
}

/** What holds for one service or one extra source of it. */
export interface ServiceSettings {
  readonly isEnabled: boolean;
  /** Five cron fields, `@daily` and the like, `@every 6h`, or `manual`. */
  readonly schedule: string;
  /** Names of destinations; every one that is configured when the service says nothing else. */
  readonly to: readonly string[];
  readonly timeoutMs: number;
  readonly retries: number;
  readonly stopTimeoutMs: number;
  /** Names of channels. */
  readonly notify: readonly string[];
  readonly path: 'auto' | 'pipe' | 'exec';
  readonly counts: 'auto' | 'exact' | 'catalogue';
  readonly codec: { readonly name: 'zstd' | 'gzip' | 'none'; readonly level: number | undefined };
}

/** The settings of the sidecar out of its keys. */
export function toSettings(keys: z.output<typeof StackKeys>, destinations: readonly Destination[]): Settings {
  return {
    name: keys.name,
    timezone: keys.timezone,
    discovery: keys.discovery,
    projects: keys.projects ?? [],
    labelPrefix: keys['label-prefix'],
    isStrict: keys.strict,
    concurrency: keys.concurrency,
    jitterMs: keys.jitter,
    runOnStart: keys['run-on-start'],
    dataDir: keys['data-dir'],
    logLevel: keys['log-level'],
    logFormat: keys['log-format'],
    restoreDelayMs: keys['restore-delay'],
    requireConfirm: keys['require-confirm'],
    docker: { host: keys['docker.host'], apiVersion: keys['docker.api-version'] },
    destinations,
    channels: channelsOf(keys),
  };
}

/** The settings of a service out of its keys; `names` are what `all` stands for. */
export function toServiceSettings(
  keys: z.output<typeof ServiceKeys>,
  names: { readonly destinations: readonly string[]; readonly channels: readonly string[] },
): ServiceSettings {
  return {
    isEnabled: keys.enable,
    schedule: keys.schedule,
    to: keys.to.includes('all') ? names.destinations : keys.to.map(destinationName),
    timeoutMs: keys.timeout,
    retries: keys.retries,
    stopTimeoutMs: keys['stop.timeout'],
    notify: keys.notify.includes('none')
      ? []
      : keys.notify.includes('all')
        ? names.channels
        : keys.notify.map(destinationName),
    path: keys.path,
    counts: keys.counts,
    codec: { name: keys.codec, level: keys['codec.level'] },
  };
}

// --- utils ---

function channelsOf(keys: z.output<typeof StackKeys>): readonly Channel[] {
  const slack = keys['notify.slack.url'];
  const webhook = keys['notify.webhook.url'];
  const standard = keys['notify.on'];
  return [
    ...(slack ? [{ name: 'slack', url: slack, on: keys['notify.slack.on'] ?? standard } as const] : []),
    ...(webhook
      ? [
          {
            name: 'webhook',
            url: webhook,
            secret: keys['notify.webhook.secret'],
            on: keys['notify.webhook.on'] ?? standard,
          } as const,
        ]
      : []),
  ];
}
