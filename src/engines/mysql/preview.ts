import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { chosenDatabases } from '../chosen.ts';
import type { RestorePreview, RestoreTarget } from '../engine.ts';
import { isOwnDatabase } from '../own-name.ts';
import { saving } from '../saving.ts';
import type { MysqlClient } from './client.ts';
import { isSystemDatabase, listDatabases } from './database.ts';
import type { DatabaseFacts } from './dump.ts';
import type { MysqlOptions } from './options.ts';
import { readPrivileges } from './privileges.ts';
import { isAtLeast } from './tools.ts';

export async function preview(
  client: MysqlClient,
  manifest: Manifest,
  target: RestoreTarget,
  options: MysqlOptions,
  signal: AbortSignal,
): Promise<RestorePreview> {
  const existing = await listDatabases(client, signal);
  const chosen = chosenDatabases(manifest, target);
  const lines = chosen.flatMap((artifact) => linesFor(artifact, target.as ?? artifact.name, existing));
  if (manifest.artifacts.some(({ kind }) => kind === 'users'))
    lines.push('make accounts that do not exist, leave the others as they are');
  const replaced = new Set(chosen.map(({ name }) => target.as ?? name));
  const untouched = existing.filter((name) => !replaced.has(name) && !isSystemDatabase(name) && !isOwnDatabase(name));
  if (untouched.length > 0) lines.push(`leave alone: ${untouched.join(', ')}`);
  const { refusals, warnings } = await judge(client, manifest, target, existing, signal);
  const present = chosen.filter(({ name }) => existing.includes(name));
  const today: MysqlOptions = { ...options, 'exclude-tables': present.flatMap(leftAlone) };
  const names = present.map(({ name }) => name);
  return { lines, refusals, warnings, saving: saving(today, names) };
}

/** What the backup left out, and no more, is left alone by its restore. A pattern may not take more than its name says. */
function leftAlone({ name, facts }: Artifact): string[] {
  const { excluded } = facts as unknown as DatabaseFacts;
  return excluded.map((table) => `${name}.${table}`).filter((each) => !/[*?]/.test(each));
}

function linesFor(artifact: Artifact, name: string, existing: readonly string[]): string[] {
  const { excluded } = artifact.facts as unknown as DatabaseFacts;
  const line = existing.includes(name)
    ? `replace database ${name} (its present tables are kept beside it)`
    : `make database ${name}`;
  return [line, ...(excluded.length > 0 ? [`leave alone in ${name}: ${excluded.join(', ')} (not in the backup)`] : [])];
}

async function judge(
  client: MysqlClient,
  manifest: Manifest,
  target: RestoreTarget,
  existing: readonly string[],
  signal: AbortSignal,
): Promise<{ refusals: string[]; warnings: string[] }> {
  const { server } = client;
  const origin = manifest.server;
  const refusals: string[] = [];
  const warnings: string[] = [];
  if (target.as !== undefined && existing.includes(target.as)) refusals.push(`database ${target.as} exists already`);
  if (target.as !== undefined && Array.from(target.as).length > 64)
    refusals.push('a database name has at most 64 characters');
  const here = `this server is ${server.product} ${server.version}`;
  const difference = `the backup is of ${origin.product} ${origin.version}, ${here}`;
  const [major = 0, minor = 0] = origin.version.split('.').map(Number);
  if (origin.product !== server.product) refusals.push(`${difference}: their dumps are not interchangeable`);
  else if (!isAtLeast(server.version, major, minor))
    refusals.push(`${difference}: older servers may not read newer dumps`);
  else if (!server.version.startsWith(`${major}.${minor}.`)) warnings.push(difference);
  if (server.isReadOnly) refusals.push('the server is read-only; is it a replica?');
  const privileges = await readPrivileges(client, signal);
  const lacking = ['CREATE', 'DROP', 'ALTER', 'INSERT'].filter((name) => !privileges.everywhere(name));
  if (lacking.length > 0)
    refusals.push(`account ${server.account} lacks ${lacking.join(', ')} on the whole server; use root`);
  return { refusals, warnings };
}
