import type { Artifact } from '../../domain/manifest.ts';
import type { PostgresConnection } from './client.ts';
import { tablespaceNames } from './server.ts';
import type { DatabaseShape } from './shape.ts';

/** What a server lacks that databases of a backup need: told before anything is loaded, all at once. */
export async function whatIsLacking(
  admin: PostgresConnection,
  databases: readonly Artifact[],
): Promise<{ readonly refusals: readonly string[]; readonly warnings: readonly string[] }> {
  const available = await admin.rows<{ name: string; version: string }>(
    'SELECT name, default_version AS version FROM pg_available_extensions',
  );
  const listed = await admin.rows<{ name: string }>(
    "SELECT DISTINCT collcollate AS name FROM pg_collation WHERE collcollate IS NOT NULL AND collprovider = 'c'",
  );
  const tablespaces = await tablespaceNames(admin);
  const extensions = new Map(available.map(({ name, version }) => [name, version]));
  const locales = new Set([...listed.map(({ name }) => plain(name)), 'c', 'posix', 'c.utf8']);
  const refusals: string[] = [];
  const warnings: string[] = [];
  for (const { name: database, facts } of databases) {
    const { shape } = facts as { shape: DatabaseShape };
    for (const { name, version } of shape.extensions) {
      const here = extensions.get(name);
      const needs = `database ${database} has the extension ${name} ${version}`;
      if (here === undefined) refusals.push(`${needs}, which this server does not have; use an image that has it`);
      else if (isOlder(here, version)) warnings.push(`${needs}, this server only ${here}`);
    }
    if (shape.tablespace && !tablespaces.has(shape.tablespace)) {
      const lies = `database ${database} lies in the tablespace ${shape.tablespace}, which this server does not have`;
      warnings.push(`${lies}: it goes into the default one`);
    }
    for (const locale of new Set([shape.collate, shape.ctype])) {
      if (locales.has(plain(locale))) continue;
      warnings.push(`database ${database} has the locale ${locale}, which this server does not list: it may refuse it`);
    }
  }
  return { refusals, warnings };
}

// --- utils ---

/** `en_US.UTF-8` and `en_US.utf8` are one. */
function plain(locale: string): string {
  return locale.toLowerCase().replace(/[-_]/g, '');
}

/** By numbers; versions that are words are not compared. */
function isOlder(here: string, wanted: string): boolean {
  const [a = [], b = []] = [here, wanted].map((version) => version.split('.').map(Number));
  if ([...a, ...b].some(Number.isNaN)) return false;
  const at = b.findIndex((part, i) => (a[i] ?? 0) !== part);
  return at >= 0 && (a[at] ?? 0) < (b[at] ?? 0);
}
