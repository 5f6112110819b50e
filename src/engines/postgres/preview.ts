import type { Manifest } from '../../domain/manifest.ts';
import { chosenDatabases } from '../chosen.ts';
import type { RestorePreview, RestoreTarget } from '../engine.ts';
import { saving } from '../saving.ts';
import type { PostgresClient } from './client.ts';
import { whatIsLacking } from './lacking.ts';
import type { PostgresOptions } from './options.ts';
import { connectAdmin, databaseNames, serverMajor } from './server.ts';

/** What a restore would do to this server, and what speaks against it. */
export async function preview(
  client: PostgresClient,
  manifest: Manifest,
  target: RestoreTarget,
  options: PostgresOptions,
  signal: AbortSignal,
): Promise<RestorePreview> {
  await using admin = await connectAdmin(client, [], signal);
  const major = await serverMajor(admin);
  const existing = await databaseNames(admin);
  const chosen = chosenDatabases(manifest, target);
  const lines = chosen.map((artifact) => {
    const name = target.as ?? artifact.name;
    return existing.has(name)
      ? `replace database ${name} (the present one is kept beside it)`
      : `make database ${name}`;
  });
  const inBackup = new Set(chosen.map(({ name }) => name));
  const untouched = [...existing].filter((name) => !inBackup.has(name) && !name.startsWith('template'));
  if (untouched.length > 0 && !target.as) lines.push(`leave alone: ${untouched.join(', ')}`);
  const from = Number.parseInt(manifest.server.version, 10);
  const difference = `the backup is of PostgreSQL ${manifest.server.version}, this server is version ${major}`;
  const lacking = await whatIsLacking(admin, chosen);
  const refusals = [...lacking.refusals];
  const warnings = [...lacking.warnings];
  if (from > major) refusals.unshift(`${difference}: older servers cannot read newer dumps`);
  if (from < major) warnings.unshift(difference);
  if (target.as && existing.has(target.as)) refusals.unshift(`database ${target.as} exists already`);
  const replaced = chosen.flatMap(({ name }) => (existing.has(name) ? [name] : []));
  return { lines, refusals, warnings, saving: saving(options, replaced) };
}
