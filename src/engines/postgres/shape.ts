import type { PostgresConnection } from './client.ts';
import { identifier, literal } from './sql.ts';

/** What a new database must be made with to be like this one. */
export interface DatabaseShape {
  readonly owner: string;
  readonly encoding: string;
  readonly collate: string;
  readonly ctype: string;
  /** `c` libc, `i` ICU, `b` builtin; absent before PostgreSQL 15. */
  readonly provider?: string | null;
  readonly locale?: string | null;
  readonly icuRules?: string | null;
  readonly connectionLimit: number;
  /** Where its tables lie unless they say otherwise; absent in backups from before it was kept. */
  readonly tablespace?: string | null;
  readonly comment: string | null;
  readonly grants:
    | readonly { readonly grantee: string | null; readonly privilege: string; readonly grantable: boolean }[]
    | null;
  readonly settings: readonly { readonly role: string | null; readonly name: string; readonly value: string }[];
  readonly extensions: readonly { readonly name: string; readonly version: string }[];
}

/** The shape of the connected database; what `pg_dump` leaves out because it writes no CREATE DATABASE. */
export async function databaseShape(connection: PostgresConnection): Promise<DatabaseShape> {
  // Columns came and went between versions: the row as JSON has those that exist.
  const [row] = await connection.rows<{ shape: DatabaseShape }>(`SELECT json_build_object(
    'owner', pg_get_userbyid(d.datdba), 'encoding', pg_encoding_to_char(d.encoding), 'collate', d.datcollate, 'ctype', d.datctype,
    'provider', to_jsonb(d)->>'datlocprovider', 'locale', coalesce(to_jsonb(d)->>'datlocale', to_jsonb(d)->>'daticulocale'),
    'icuRules', to_jsonb(d)->>'daticurules', 'connectionLimit', d.datconnlimit,
    'tablespace', (SELECT spcname FROM pg_tablespace WHERE oid = d.dattablespace), 'comment', shobj_description(d.oid, 'pg_database'),
    'grants', (SELECT json_agg(json_build_object('grantee', r.rolname, 'privilege', a.privilege_type, 'grantable', a.is_grantable))
       FROM aclexplode(d.datacl) a LEFT JOIN pg_roles r ON r.oid = a.grantee),
    'settings', coalesce((SELECT json_agg(json_build_object('role', r.rolname, 'name', split_part(s.setting, '=', 1),
       'value', substr(s.setting, strpos(s.setting, '=') + 1)))
       FROM (SELECT setrole, unnest(setconfig) AS setting FROM pg_db_role_setting WHERE setdatabase = d.oid) s
       LEFT JOIN pg_roles r ON r.oid = s.setrole), '[]'::json),
    'extensions', (SELECT coalesce(json_agg(json_build_object('name', extname, 'version', extversion)), '[]'::json) FROM pg_extension)) AS shape
    FROM pg_database d WHERE d.datname = current_database()`);
  if (!row) throw new Error('PostgreSQL returned no row about the connected database');
  return row.shape;
}

/** What every server has, and no statement needs to name. */
const defaultTablespace = 'pg_default';

/** The statements that make an empty database of this shape on a server that has these tablespaces. */
export function createStatements(name: string, shape: DatabaseShape, tablespaces: ReadonlySet<string>): string[] {
  const { tablespace } = shape;
  const isElsewhere = tablespace && tablespace !== defaultTablespace && tablespaces.has(tablespace);
  const options = [
    `TEMPLATE = template0 OWNER = ${identifier(shape.owner)} ENCODING = ${literal(shape.encoding)}`,
    `LC_COLLATE = ${literal(shape.collate)} LC_CTYPE = ${literal(shape.ctype)} CONNECTION LIMIT = ${shape.connectionLimit}`,
    isElsewhere ? `TABLESPACE = ${identifier(tablespace)}` : '',
    // Not spelled out, it would be that of template0.
    shape.provider === 'c' ? 'LOCALE_PROVIDER = libc' : '',
    shape.provider === 'i' && shape.locale ? `LOCALE_PROVIDER = icu ICU_LOCALE = ${literal(shape.locale)}` : '',
    shape.provider === 'i' && shape.icuRules ? `ICU_RULES = ${literal(shape.icuRules)}` : '',
    shape.provider === 'b' && shape.locale ? `LOCALE_PROVIDER = builtin BUILTIN_LOCALE = ${literal(shape.locale)}` : '',
  ];
  const target = `DATABASE ${identifier(name)}`;
  const grantee = (role: string | null) => (role === null ? 'PUBLIC' : identifier(role));
  return [
    `CREATE ${target} ${options.join(' ')}`,
    ...(shape.comment ? [`COMMENT ON ${target} IS ${literal(shape.comment)}`] : []),
    // No grants recorded means the defaults; else what is recorded is all there is.
    ...(shape.grants ? [`REVOKE ALL ON ${target} FROM PUBLIC`] : []),
    ...(shape.grants ?? []).map(
      (grant) =>
        `GRANT ${grant.privilege} ON ${target} TO ${grantee(grant.grantee)}${grant.grantable ? ' WITH GRANT OPTION' : ''}`,
    ),
    ...shape.settings.map((setting) => {
      const subject = setting.role === null ? `${target}` : `ROLE ${identifier(setting.role)} IN ${target}`;
      return `ALTER ${subject} SET ${identifier(setting.name)} TO ${settingValue(setting.name, setting.value)}`;
    }),
  ];
}

/** Settings that hold lists of names are stored quoted already; quoting them again would make one long name of them. */
const listSettings = new Set([
  'search_path',
  'local_preload_libraries',
  'session_preload_libraries',
  'shared_preload_libraries',
  'temp_tablespaces',
  'unix_socket_directories',
]);

function settingValue(name: string, value: string): string {
  return listSettings.has(name) && value !== '' ? value : literal(value);
}
