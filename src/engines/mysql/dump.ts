import { LifeboatError } from '../../domain/errors.ts';
import type { Dump, Survey } from '../engine.ts';
import { accountsScript, readAccounts } from './accounts.ts';
import { type CatalogueObject, readCatalogue, withoutExcluded } from './catalogue.ts';
import type { MysqlClient } from './client.ts';
import { countKinds } from './counts.ts';
import { type DatabaseShape, databaseShape } from './database.ts';
import { whyNotNearby } from './nearby.ts';
import type { MysqlOptions } from './options.ts';
import { literal } from './sql.ts';
import type { MysqlNotes } from './survey.ts';
import { isAtLeast } from './tools.ts';

/** What a line that a person types needs of the tools that made the dump. */
export interface ToolFacts {
  /** The client program. */
  readonly client: string;
  /** The arguments it needs to find the server, where its own defaults do not. */
  readonly reach: readonly string[];
}

/** What the restore of a database needs beside its dump. */
export interface DatabaseFacts extends ToolFacts {
  readonly shape: DatabaseShape;
  /** Tables and views that were left out on purpose: a restore leaves them as they are. */
  readonly excluded: readonly string[];
}

/** Accounts first, then each database at a moment of its own. */
export async function* dump(survey: Survey, options: MysqlOptions, signal: AbortSignal): AsyncGenerator<Dump> {
  const { client, locked } = survey.notes as MysqlNotes;
  for (const item of survey.items) {
    if (item.kind === 'users') yield await accounts(client, survey, signal);
    else yield* database(client, item.name, options, locked.has(item.name), signal);
  }
}

export function toolFacts({ tools, reach }: MysqlClient): ToolFacts {
  return { client: tools.client, reach };
}

async function accounts(client: MysqlClient, survey: Survey, signal: AbortSignal): Promise<Dump> {
  const read = await readAccounts(client, signal);
  const text = accountsScript(read.accounts, `${survey.product} ${survey.version}`);
  const facts = { ...toolFacts(client), unreadable: read.unreadable };
  return { name: 'users', kind: 'users', extension: 'accounts.sql', facts, produce: { from: 'text', text } };
}

async function* database(
  client: MysqlClient,
  name: string,
  options: MysqlOptions,
  isLocked: boolean,
  signal: AbortSignal,
): AsyncGenerator<Dump> {
  const shape = await databaseShape(client, name, signal);
  if (!shape)
    throw new LifeboatError('DUMP_INCOMPLETE', `database ${name} was dropped`, {
      hint: 'back up again: it is not asked for then',
      retryable: true,
    });
  const before = await readCatalogue(client, name, signal);
  const { included, excluded } = withoutExcluded(before, name, options['exclude-tables']);
  const complaints: string[] = [];
  const args = [
    ...(isLocked ? ['--lock-all-tables'] : ['--single-transaction']),
    ...dumpOptions(client, included, await usesSequences(client, name, signal)),
    ...excluded.map((each) => `--ignore-table=${name}.${each.name}`),
    '--',
    name,
  ];
  const onStderrLine = (line: string) => {
    if (isComplaint(line)) complaints.push(line);
  };
  const dumpBy = (by: MysqlClient) => ({ ...by.command(client.tools.dump, args), onStderrLine });
  const facts: DatabaseFacts = { shape, excluded: excluded.map((each) => each.name), ...toolFacts(client) };
  yield {
    name,
    kind: 'database',
    extension: 'sql',
    facts: { ...facts },
    counts: Promise.resolve([{ how: 'catalogue', objects: countKinds(included) }]),
    produce: {
      from: 'command',
      exec: dumpBy(client),
      helper: {
        path: 'pipe',
        command: dumpBy(client.nearby()),
        whyNot: (abort) => whyNotNearby(client, abort),
      },
    },
  };
  if (complaints.length > 0) {
    throw new LifeboatError('DUMP_INCOMPLETE', `${client.tools.dump} complained: ${complaints[0]?.slice(0, 500)}`, {
      hint: 'give the account the privilege it lacks, or mend the table or view that is named, and back up again',
    });
  }
  // Definitions are not part of the moment at which the rows are read: they must have stood still.
  const after = await readCatalogue(client, name, signal);
  if (JSON.stringify(after) !== JSON.stringify(before)) {
    throw new LifeboatError('DUMP_INCOMPLETE', `database ${name} got other tables or routines while it was dumped`, {
      retryable: true,
      hint: 'save it when no migration runs',
    });
  }
}

function dumpOptions(client: MysqlClient, objects: readonly CatalogueObject[], usesSequence: boolean): string[] {
  const { product, version } = client.tools;
  const common = [
    '--quick',
    '--routines',
    '--events',
    '--triggers',
    '--hex-blob',
    '--no-tablespaces',
    '--max-allowed-packet=1G',
  ];
  if (product === 'MySQL') {
    // Before 8.0 there are no column statistics to be switched off.
    return [...common, '--set-gtid-purged=OFF', ...(isAtLeast(version, 8) ? ['--column-statistics=0'] : [])];
  }
  const hasHistory = objects.some(({ isVersioned }) => isVersioned) && isAtLeast(version, 10, 11);
  // Loading `LOCK TABLES t WRITE; INSERT …` fails where a default of t draws from a sequence: the sequence is not locked.
  return [...common, ...(hasHistory ? ['--dump-history'] : []), ...(usesSequence ? ['--skip-add-locks'] : [])];
}

async function usesSequences(client: MysqlClient, database: string, signal: AbortSignal): Promise<boolean> {
  if (client.server.product !== 'MariaDB') return false;
  const where = `TABLE_SCHEMA = ${literal(database)} AND COLUMN_DEFAULT LIKE '%nextval(%' LIMIT 1`;
  return (
    (await client.rows({ name: 'COLUMN_NAME' }, `FROM information_schema.COLUMNS WHERE ${where}`, signal)).length > 0
  );
}

/** Words of the tools that mean something is missing although they may end with exit code 0. */
function isComplaint(line: string): boolean {
  // A limited account may not read the masking policies of MySQL 9.7; the dump itself is whole.
  if (line.includes('masking policies')) return false;
  return /^(?:mysqldump|mariadb-dump): .*(?:error|couldn't|insuffic|lost connection)/i.test(line);
}
