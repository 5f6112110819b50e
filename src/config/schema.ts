import { z } from 'zod';
import { text } from '../domain/grammar.ts';
import {
  option,
  optionBool,
  optionDuration,
  optionInteger,
  optionList,
  optionOneOf,
  optionSchedule,
} from '../domain/option.ts';
import { durationBetween } from '../domain/quantity.ts';
import { signingKeys } from '../domain/signing-secret.ts';
import { key, optionalKey, secretKey } from './key.ts';
import { checkWebhookUrl, destinationUrl, folder, labelPrefix, name, notifyEvent, timezone } from './value.ts';

/**
 * The one schema: every key of the configuration, its grammar, its default and its meaning. Variables, labels, the
 * configuration file, the reference, the JSON Schema and the example are all made from it.
 */

const minute = 60_000;
const hour = 60 * minute;

/** What may be set per service: by a label, in `services:`, and as a default for all on the sidecar. */
export const ServiceKeys = z.object({
  enable: key(optionBool(), {
    kind: 'data',
    default: 'true',
    means: 'Whether this service is backed up. `false` as a default on the sidecar makes the stack opt-in.',
  }),
  schedule: key(optionSchedule(), {
    kind: 'tuning',
    default: '@daily',
    means: 'When backups are made, in the time zone of the sidecar, spread by the jitter.',
  }),
  to: key(optionList(name), {
    kind: 'tuning',
    default: 'all',
    means: 'Names of the destinations to store in, or `all`.',
  }),
  timeout: key(optionDuration(durationBetween(1000)), {
    kind: 'tuning',
    default: '6h',
    means: 'How long the backup of one source may take before it is ended and counted as failed.',
  }),
  retries: key(optionInteger(0, 10), {
    kind: 'tuning',
    default: '2',
    means:
      'How often a scheduled backup that failed for a passing reason (service restarting, connection cut) is tried again.',
  }),
  'stop.timeout': key(optionDuration(durationBetween(0, hour)), {
    kind: 'tuning',
    default: '30s',
    means: 'How long a container gets to stop before it is killed, where it has to be stopped.',
  }),
  notify: key(optionList(name), {
    kind: 'tuning',
    default: 'all',
    means: 'Names of the channels that hear of this service, `all` or `none`.',
  }),
  path: key(optionOneOf(['auto', 'pipe', 'exec']), {
    kind: 'tuning',
    default: 'auto',
    means:
      'How the bytes come: `pipe` by a helper container, `exec` through the Engine, `auto` by size and what is possible.',
  }),
  counts: key(optionOneOf(['auto', 'exact', 'catalogue']), {
    kind: 'tuning',
    default: 'auto',
    means:
      'How rows are counted: `exact` reads every table, `catalogue` trusts the server, `auto` is exact up to a limit.',
  }),
  codec: key(optionOneOf(['zstd', 'gzip', 'none']), {
    kind: 'tuning',
    default: 'zstd',
    member: 'name',
    means: 'How artifacts are compressed.',
  }),
  'codec.level': optionalKey(optionInteger(1, 19), {
    kind: 'tuning',
    means: 'How hard to compress: 1 to 19 for zstd, 1 to 9 for gzip; unset means 3 for zstd, 1 for gzip.',
  }),
});

/** What belongs to the sidecar alone; a label can never set it. */
export const StackKeys = z.object({
  name: optionalKey(option(name, z.string()), {
    kind: 'data',
    means: 'Name of the stack in backups and messages; unset means the Compose project.',
  }),
  timezone: key(option(timezone, z.string()), {
    kind: 'tuning',
    default: 'UTC',
    variables: ['TZ'],
    means: 'Time zone of schedules and of times on screen.',
  }),
  discovery: key(optionOneOf(['project', 'projects', 'host']), {
    kind: 'data',
    default: 'project',
    means:
      'Whose containers are looked at: our own Compose project, the `projects` listed, or every container of the host.',
  }),
  projects: optionalKey(optionList(name), { kind: 'data', means: 'The Compose projects of `discovery: projects`.' }),
  'label-prefix': key(option(labelPrefix, z.string()), {
    kind: 'data',
    default: 'lifeboat',
    means: 'What labels begin with, for two sidecars on one host.',
  }),
  strict: key(optionBool(), {
    kind: 'data',
    default: 'false',
    means:
      'Refuse to start (exit 78) on any problem in the configuration, warnings and labels of services included. Labels are read once, at the start, and the Engine has to answer for that.',
  }),
  concurrency: key(optionInteger(1, 64), {
    kind: 'tuning',
    default: '2',
    means: 'How many sources are backed up at a time.',
  }),
  jitter: key(optionDuration(durationBetween(0, 24 * hour)), {
    kind: 'tuning',
    default: '10m',
    means: 'Scheduled runs start at a random moment within this time; `0` means on the minute.',
  }),
  'run-on-start': key(optionBool(), {
    kind: 'tuning',
    default: 'false',
    means: 'Back up everything once when the sidecar starts.',
  }),
  'data-dir': key(option(folder, z.string()), {
    kind: 'data',
    default: '/data',
    means:
      'Where the journal, the history and the cache of manifests lie. It can be lost: the destinations hold the truth.',
  }),
  'log-level': key(optionOneOf(['debug', 'info', 'warn', 'error']), {
    kind: 'tuning',
    default: 'info',
    means: 'The least important messages that are logged.',
  }),
  'log-format': key(optionOneOf(['text', 'json']), { kind: 'tuning', default: 'text', means: 'How log lines look.' }),
  'restore-delay': key(optionDuration(durationBetween(0, hour)), {
    kind: 'tuning',
    default: '10s',
    means: 'How long a restore without a terminal shows its plan before it begins.',
  }),
  'require-confirm': key(optionBool(), {
    kind: 'data',
    default: 'false',
    means: 'Refuse a restore without a terminal unless it is given --yes.',
  }),
  'docker.host': optionalKey(option(text, z.string()), {
    kind: 'data',
    variables: ['DOCKER_HOST'],
    means: 'Address of the Engine; unset means /var/run/docker.sock.',
  }),
  'docker.api-version': optionalKey(option(text, z.string()), {
    kind: 'data',
    variables: ['DOCKER_API_VERSION'],
    means: 'API version to speak with the Engine; unset means the newest that both know.',
  }),
  'notify.on': key(optionList(notifyEvent), {
    kind: 'tuning',
    default: 'failure, recovered, config-problem',
    means: 'What channels hear of, unless they say otherwise.',
  }),
  'notify.slack.url': secretKey({ means: 'Incoming webhook of Slack.' }, checkWebhookUrl),
  'notify.slack.on': optionalKey(optionList(notifyEvent), {
    kind: 'tuning',
    means: 'What Slack hears of; unset means `notify.on`.',
  }),
  'notify.webhook.url': secretKey({ means: 'Where events are posted as JSON (Standard Webhooks).' }, checkWebhookUrl),
  'notify.webhook.secret': secretKey(
    {
      means:
        'Signs the events: 24 to 64 bytes in base64, with or without `whsec_` before them; several while it is being replaced. Unset means they are not signed.',
    },
    signingKeys,
  ),
  'notify.webhook.on': optionalKey(optionList(notifyEvent), {
    kind: 'tuning',
    means: 'What the webhook hears of; unset means `notify.on`.',
  }),
});

/** What is set per destination, as `LIFEBOAT_DEST_<NAME>_<KEY>` or under `dest.<name>` in the file. */
export const DestinationKeys = z.object({
  url: optionalKey(option(destinationUrl, z.string()), {
    kind: 'data',
    means: 'Where backups are stored: `file:///path` or `s3://bucket/prefix?region=…&endpoint=…`.',
  }),
  'access-key-id': secretKey({
    variables: ['AWS_ACCESS_KEY_ID'],
    means: 'S3 login; unset means AWS_ACCESS_KEY_ID, then the AWS default chain.',
  }),
  'secret-access-key': secretKey({
    variables: ['AWS_SECRET_ACCESS_KEY'],
    means: 'S3 login; unset means AWS_SECRET_ACCESS_KEY.',
  }),
  'session-token': secretKey({
    variables: ['AWS_SESSION_TOKEN'],
    means: 'S3 login of temporary credentials; unset means AWS_SESSION_TOKEN.',
  }),
  required: key(optionBool(), {
    kind: 'data',
    default: 'false',
    means:
      'A backup that is not stored here has failed: exit code 1, a notification of failure. What other destinations hold of it is kept and can be restored. Otherwise it is degraded as long as one has it.',
  }),
});
