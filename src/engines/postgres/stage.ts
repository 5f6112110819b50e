import { availableParallelism } from 'node:os';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { untouchedHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { type Finished, isOnDisk, type Scratch } from '../../domain/shell.ts';
import type { RestoreSource, RestoreSteps } from '../engine.ts';
import { type PostgresClient, type PostgresConnection, withFile } from './client.ts';
import { serverMajor } from './server.ts';
import { dropStaged, makeStaged, type Staged } from './staged.ts';

/** Makes a database beside the live one and loads the dump into it. */
export async function stage(
  client: PostgresClient,
  admin: PostgresConnection,
  entry: Staged,
  from: RestoreSource,
  isToolNewer: boolean,
  steps: RestoreSteps,
  signal: AbortSignal,
): Promise<void> {
  await makeStaged(admin, entry, signal);
  const plain = await from.open(entry.artifact, signal);
  // Each job would meet the setting that an older server does not know.
  if (isOnDisk(plain) && !isToolNewer) {
    steps.staging(`database ${entry.artifact.name} by ${jobs} jobs at once`);
    if (await loadFile(client, entry, plain.scratch, signal)) return;
    // Some of its jobs may have got in before another was refused.
    await dropStaged(admin, [entry]);
    await makeStaged(admin, entry, signal);
  }
  steps.staging(`database ${entry.artifact.name}`);
  await loadStream(client, entry, plain, isToolNewer, signal);
}

/**
 * From 17 on pg_restore begins with a setting that older servers do not know, and has no option to leave it out. Such a
 * pair, which `tools-image` makes possible, is run without stopping at the first error, and that must be the only one.
 */
export async function needsTolerance(
  client: PostgresClient,
  admin: PostgresConnection,
  signal: AbortSignal,
): Promise<boolean> {
  if ((await serverMajor(admin)) >= 17) return false;
  return Number.parseInt(await client.toolVersion('pg_restore', signal), 10) >= 17;
}

// --- utils ---

/** Jobs that load one database at once; more hardly help and take connections from others. */
const jobs = Math.min(availableParallelism(), 4);

/**
 * Loads the archive by several jobs in a helper on the server's network. False when no helper can be made, or one of the
 * jobs cannot log in. No other server can be meant by mistake: only this one has a database of the staged name.
 */
async function loadFile(
  client: PostgresClient,
  entry: Staged,
  scratch: Scratch,
  signal: AbortSignal,
): Promise<boolean> {
  const argv = ['pg_restore', '--exit-on-error', '--no-password', `--jobs=${jobs}`, `--dbname=${entry.name}`] as const;
  const command = withFile(client.nearby(argv, entry.name), scratch);
  const finished = await client.shell.run(command, undefined, signal).catch(() => signal.throwIfAborted());
  if (!finished || /connection to server .* failed/.test(finished.stderr)) return false;
  if (finished.exitCode !== 0) throw loadFailed(entry, finished);
  return true;
}

async function loadStream(
  client: PostgresClient,
  entry: Staged,
  plain: Readable,
  isToolNewer: boolean,
  signal: AbortSignal,
): Promise<void> {
  const strictly = isToolNewer ? [] : ['--exit-on-error', '--single-transaction'];
  const argv = ['pg_restore', ...strictly, '--no-password', `--dbname=${entry.name}`] as const;
  const finished = await client.shell.run(client.command(argv, entry.name), plain, signal);
  const isGood = finished.exitCode === 0 || (isToolNewer && isUnknownSettingAlone(finished.stderr));
  if (!isGood) throw loadFailed(entry, finished);
  await pipeline(plain, async (rest: AsyncIterable<Buffer>) => {
    for await (const _ of rest)
      throw new LifeboatError('RESTORE_FAILED', 'pg_restore did not read the dump to its end', { hint: untouchedHint });
  }).catch((error: unknown) => {
    if (error instanceof LifeboatError) throw error; // The digest check of the source, or ours; a closed stream is fine.
  });
}

function isUnknownSettingAlone(stderr: string): boolean {
  return (
    /unrecognized configuration parameter "transaction_timeout"/.test(stderr) &&
    /^pg_restore: warning: errors ignored on restore: 1$/m.test(stderr)
  );
}

function loadFailed({ artifact }: Staged, { stderr }: Finished): LifeboatError {
  const said = stderr.trim().split('\n').slice(-3).join(' | ');
  return new LifeboatError('RESTORE_FAILED', `pg_restore failed for database ${artifact.name}: ${said}`, {
    hint: untouchedHint,
  });
}
