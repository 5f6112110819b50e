import { chosenDatabases } from '../chosen.ts';
import { afterCleanup } from '../cleanup.ts';
import { noLongerNeeded, type Restored, type RestoreSource, type RestoreSteps, type RestoreTarget } from '../engine.ts';
import { stagedName } from '../own-name.ts';
import type { PostgresClient } from './client.ts';
import { compare } from './compare.ts';
import { restoreRoles } from './roles.ts';
import { connectAdmin } from './server.ts';
import { needsTolerance, stage } from './stage.ts';
import { dropStaged, type Staged } from './staged.ts';
import { switchOver } from './switch.ts';

/**
 * Each database is loaded into a new one beside the live one and compared with the manifest; when all are good, all are
 * renamed in one transaction. Until then nothing that anybody uses has changed.
 */
export async function restore(
  client: PostgresClient,
  from: RestoreSource,
  target: RestoreTarget,
  steps: RestoreSteps,
  signal: AbortSignal,
  dropLine: (database: string) => string,
): Promise<Restored> {
  const chosen = chosenDatabases(from.manifest, target);
  const names = chosen.map(({ name }) => target.as ?? name);
  await using admin = await connectAdmin(client, names, signal);
  const warnings = await restoreRoles(admin, from, steps, signal);
  const isToolNewer = await needsTolerance(client, admin, signal);
  const staged: Staged[] = [];
  const checks: string[] = [];
  try {
    for (const [number, artifact] of chosen.entries()) {
      const entry = { artifact, name: stagedName(target.suffix, number), target: target.as ?? artifact.name };
      staged.push(entry);
      await stage(client, admin, entry, from, isToolNewer, steps, signal);
      steps.checking(`database ${artifact.name}`);
      checks.push(await compare(client, entry, signal));
    }
  } catch (error) {
    throw await afterCleanup(error, () => dropStaged(admin, staged));
  }
  const replaced = await switchOver(admin, staged, target.suffix, steps);
  return {
    checks,
    warnings,
    kept: replaced.map(
      ({ database, kept }) => `the previous ${database} is kept as ${kept}; ${noLongerNeeded(dropLine(kept))}`,
    ),
  };
}
