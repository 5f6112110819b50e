import { openCodec } from '../../codecs/index.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { backupPrefix, newId } from '../../domain/naming.ts';
import type { Failure, SourceResult } from '../../domain/run-event.ts';
import type { Survey } from '../../engines/engine.ts';
import { type Backoff, defaultBackoff, withRetries } from '../../stores/backoff.ts';
import type { Destination, RunContext } from '../context.ts';
import { copyBackup } from '../copy/copy.ts';
import { failureOf, type RunLog } from '../history/run-log.ts';
import { waitUntilReady } from '../readiness.ts';
import type { Source } from '../source.ts';
import { openDrafts, publish } from './drafts.ts';
import { dumpAll } from './dump-all.ts';
import { composeManifest } from './manifest.ts';

export interface BackupRequest {
  readonly set: string;
  readonly trigger: Manifest['trigger'];
}

/** What was kept of one source, and where. */
interface Kept {
  readonly manifest: Manifest;
  readonly stored: readonly Destination[];
  readonly lost: ReadonlyMap<string, unknown>;
}

/**
 * The story of one backup: wait → survey → dump and prove → review → publish the manifest, last → copy. Never rejects:
 * the result says how it went, and a failed backup leaves nothing behind that could be taken for one.
 */
export async function backupSource(
  context: RunContext,
  source: Source,
  request: BackupRequest,
  log: RunLog,
  outer: AbortSignal,
): Promise<SourceResult> {
  const startedAt = context.now();
  const deadline = AbortSignal.timeout(source.settings.timeoutMs);
  const signal = AbortSignal.any([outer, deadline]);
  const durationMs = () => context.now().getTime() - startedAt.getTime();
  let result: SourceResult;
  try {
    const kept = await withRetries(
      () => keepBackup(context, source, request, log, signal),
      patience(source, request, log),
      signal,
    );
    const { manifest } = kept;
    const missing = await missingWhereRequired(context, kept);
    const lacking = whatIsLacking(manifest);
    const error = missing ?? lacking;
    result = {
      source: source.name,
      result: missing ? 'failed' : lacking ? 'partial' : kept.lost.size > 0 ? 'degraded' : 'ok',
      ...(error ? { error } : {}),
      backup: manifest.id,
      plainBytes: sum(manifest.artifacts, 'plainBytes'),
      storedBytes: sum(manifest.artifacts, 'storedBytes'),
      durationMs: durationMs(),
      destinations: [
        ...kept.stored.map(({ name }) => ({ name, result: 'ok' as const })),
        ...[...kept.lost].map(([name, error]) => ({ name, result: 'failed' as const, error: failureOf(error) })),
      ],
    };
  } catch (thrown) {
    const isLate = deadline.aborted && !outer.aborted;
    const error = isLate ? tooLong(source) : thrown;
    result = {
      source: source.name,
      result: outer.aborted ? 'cancelled' : 'failed',
      durationMs: durationMs(),
      error: failureOf(error),
    };
  }
  log.sourceFinished(result);
  return result;
}

/** A person who asked sees the failure at once and decides; at night nobody does. */
function patience({ name, settings }: Source, { trigger }: BackupRequest, log: RunLog): Backoff {
  const isUnattended = trigger === 'schedule' || trigger === 'start';
  return {
    ...defaultBackoff,
    attempts: isUnattended ? 1 + settings.retries : 1,
    baseMs: 15_000,
    maxMs: 300_000,
    retrying: ({ message, hint }, pauseMs) =>
      log.warn(name, `${message}; trying again in ${Math.ceil(pauseMs / 1000)} s`, hint),
  };
}

async function keepBackup(
  context: RunContext,
  source: Source,
  request: BackupRequest,
  log: RunLog,
  signal: AbortSignal,
): Promise<Kept> {
  const startedAt = context.now();
  const { engine, settings } = source;
  const container = await log.step(source.name, 'wait', 'until the service is ready', () =>
    waitUntilReady(context, source.container, signal),
  );
  const shell = context.shell(container, log.run, settings.stopGraceMs);
  const survey = await log.step(source.name, 'survey', engine.name, () =>
    engine.survey(shell, settings.options, signal),
  );
  if (survey.items.length === 0) throw nothingToSave(source, survey);
  for (const warning of survey.warnings) log.warn(source.name, warning);

  const id = newId(startedAt);
  const chosen = chooseDestinations(await context.destinations(), source);
  const locals = chosen.filter(({ isLocal }) => isLocal);
  const primaries = locals.length > 0 ? locals : chosen;
  const lost = new Map<string, unknown>();
  await using drafts = await openDrafts(primaries, backupPrefix(source, id), lost, signal);

  const codecs =
    settings.codec === 'none'
      ? []
      : [await openCodec(settings.codec, settings.codecLevel === undefined ? {} : { level: settings.codecLevel })];
  const stored = await dumpAll(source, shell, survey, codecs, drafts, log, signal);
  for (const { destination, error } of stored.flatMap((entry) => entry.lost)) lost.set(destination, error);
  const artifacts = stored.map(({ artifact }) => artifact);
  const review = await engine.review(
    shell,
    survey,
    artifacts.map((artifact, i) => ({ ...artifact, extension: stored[i]?.extension ?? '' })),
    settings.options,
    signal,
  );
  await context.refresh(container, signal).then((now) => assertSame(now, container));

  const { version } = context;
  const finishedAt = context.now();
  const facts = { version, source, shell, survey, review, ...request, id, startedAt, finishedAt, stored };
  const manifest = composeManifest(facts);
  const published = await log.step(source.name, 'publish', 'manifest', () =>
    publish(source, manifest, drafts, primaries, lost, signal),
  );
  if (published.length === 0) throw [...lost.values()][0];
  const warn = (message: string) => log.warn(source.name, message);
  const copied: Destination[] = [];
  for (const destination of chosen.filter((candidate) => !primaries.includes(candidate))) {
    try {
      await log.step(source.name, 'copy', `to ${destination.name}`, () =>
        copyBackup({ manifest, copies: published, to: destination, warn }, signal),
      );
      copied.push(destination);
    } catch (error) {
      if (signal.aborted) throw error;
      lost.set(destination.name, error);
    }
  }
  return { manifest, stored: [...published, ...copied], lost };
}

// --- utils ---

function chooseDestinations(all: readonly Destination[], source: Source): readonly Destination[] {
  const { to } = source.settings;
  const chosen = all.filter(({ name }) => to.includes(name));
  if (chosen.length > 0) return chosen;
  throw new LifeboatError('CONFIG_INVALID', `${source.name} has no destination`, {
    hint: 'set LIFEBOAT_DEST_LOCAL_URL=file:///backups on the sidecar, or correct lifeboat.to',
  });
}

/** What was kept elsewhere can be restored all the same; but nobody who asked for this destination may take it for done. */
async function missingWhereRequired(context: RunContext, { lost }: Kept): Promise<Failure | undefined> {
  const required = (await context.destinations()).find(({ name, isRequired }) => isRequired && lost.has(name));
  if (!required) return undefined;
  const failure = failureOf(lost.get(required.name));
  return { ...failure, message: `not in ${required.name}, which is required: ${failure.message}` };
}

/** Worth keeping, but not all that it should be. */
function whatIsLacking({ lacks }: Manifest): Failure | undefined {
  if (!lacks) return undefined;
  return {
    code: 'DUMP_INCOMPLETE',
    message: `partial: ${lacks.join('; ')}`,
    hint: 'back up again at a quieter time, or leave out what changes all the time with lifeboat.files.exclude',
  };
}

function assertSame(
  now: { id: string; startedAt: string },
  before: { id: string; startedAt: string; name: string },
): void {
  if (now.id === before.id && now.startedAt === before.startedAt) return;
  throw new LifeboatError('SOURCE_REPLACED', `container ${before.name} was replaced or restarted during the backup`, {
    hint: 'back it up again once it stays up',
    retryable: true,
  });
}

function nothingToSave(source: Source, survey: Survey): LifeboatError {
  const left = survey.left.map(({ name, why }) => `${name}: ${why}`).join('; ');
  return new LifeboatError('SOURCE_NOT_FOUND', `${source.name} has nothing to save${left ? ` (${left})` : ''}`, {
    hint: 'lifeboat plan shows what was looked for',
  });
}

function tooLong(source: Source): LifeboatError {
  return new LifeboatError('STALLED', `the backup of ${source.name} took longer than its time limit`, {
    hint: 'raise lifeboat.timeout for this service, or look why it is slow',
  });
}

function sum(artifacts: readonly Artifact[], key: 'plainBytes' | 'storedBytes'): number {
  return artifacts.reduce((total, artifact) => total + artifact[key], 0);
}
