import { LifeboatError } from '../../domain/errors.ts';
import { chosenDatabases } from '../chosen.ts';
import { withCleanup } from '../cleanup.ts';
import { noLongerNeeded, type Restored, type RestoreSource, type RestoreSteps, type RestoreTarget } from '../engine.ts';
import { stagedName } from '../own-name.ts';
import { restoreAccounts } from './account-restore.ts';
import type { MysqlClient } from './client.ts';
import { databaseShape } from './database.ts';
import { type Live, readLive } from './live.ts';
import { namingDatabase } from './split.ts';
import { check, dropDatabases, type Staged, stage, withLongStatements } from './staging.ts';
import { type Exchange, switchOver, undoOf } from './switch.ts';

/**
 * Each database is loaded into a new one beside the live one and compared with the manifest; when all are good, the tables
 * of all change places in one statement. Until then nothing that anybody uses has changed.
 */
export async function restore(
  client: MysqlClient,
  from: RestoreSource,
  target: RestoreTarget,
  steps: RestoreSteps,
  signal: AbortSignal,
  dropLine: (database: string) => string,
): Promise<Restored> {
  const chosen = chosenDatabases(from.manifest, target);
  if (target.as !== undefined && (await databaseShape(client, target.as, signal))) {
    throw new LifeboatError('RESTORE_REFUSED', `database ${target.as} exists already`, {
      hint: 'choose another name for --as, or drop that database first',
    });
  }
  const accounts = await restoreAccounts(client, from, steps, signal);
  const staging = chosen.map((_, number) => stagedName(target.suffix, number));
  const work = async (): Promise<Restored> => {
    const staged: Staged[] = [];
    const checks: string[] = [];
    await withLongStatements(client, chosen, async () => {
      for (const [number, artifact] of chosen.entries()) {
        const name = staging[number] as string;
        steps.staging(`database ${artifact.name}`);
        const entry = await stage(client, artifact, name, target.as ?? artifact.name, from, signal);
        steps.checking(`database ${artifact.name}`);
        checks.push(await check(client, entry, signal));
        staged.push(entry);
      }
    });
    const exchanges: Exchange[] = [];
    for (const [number, entry] of staged.entries()) {
      exchanges.push({ staged: entry, live: await readLive(client, entry, target.suffix, number, signal) });
    }
    signal.throwIfAborted();
    const undo = await undoOf(client, exchanges);
    await steps.switching(exchanges.map(({ live }) => live.database).join(', '), undo);
    const switched = await switchOver(client, exchanges, accounts.waiting, undo);
    return {
      checks: [...checks, ...switched.checks],
      warnings: [...accounts.warnings, ...switched.warnings, ...staged.flatMap(warningsOf)],
      kept: exchanges.flatMap(({ live }) => keptLines(live, dropLine)),
    };
  };
  return withCleanup(work, () => dropDatabases(client, staging));
}

function warningsOf({ artifact, facts, target, code }: Staged): string[] {
  const warnings: string[] = [];
  if (facts.excluded.length > 0) {
    warnings.push(
      `not in the backup of ${artifact.name}, so left as they are if they exist: ${facts.excluded.join(', ')}`,
    );
  }
  if (target === artifact.name) return warnings;
  if (code.some(({ kind }) => kind === 'event'))
    warnings.push(`the events of ${target} are switched off: it is a copy`);
  const naming = namingDatabase(code, artifact.name);
  if (naming.length > 0) {
    warnings.push(
      `these name the database ${artifact.name} themselves and still mean it, not ${target}: ${naming.join(', ')}`,
    );
  }
  return warnings;
}

function keptLines({ database, kept, tables }: Live, dropLine: (database: string) => string): string[] {
  if (tables.length === 0) return [];
  const what = `the previous tables of ${database} are kept in ${kept}, its views and routines in the safety backup`;
  return [`${what}; ${noLongerNeeded(dropLine(kept))}`];
}
