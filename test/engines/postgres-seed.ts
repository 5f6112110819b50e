import { psql, type Tools } from '../support/postgres.ts';

/** Owners, grants, settings, sequences, identity, partitions, large objects, extensions, triggers, odd names. */
const seed = `
CREATE ROLE owner_role LOGIN PASSWORD 'x'; CREATE ROLE "Reader Role"; GRANT "Reader Role" TO owner_role;
CREATE EXTENSION pg_trgm; CREATE SCHEMA "we ird";
CREATE TABLE orders (id bigserial PRIMARY KEY, note text NOT NULL DEFAULT 'x', at timestamptz DEFAULT '2026-01-01', amount numeric(12,2));
INSERT INTO orders (note, amount) SELECT md5(i::text) || E'\\u00fc\\n\\t\\\\', i / 7.0 FROM generate_series(1, 20000) i;
CREATE INDEX ON orders USING gin (note gin_trgm_ops);
CREATE TABLE "we ird"."ta;ble""x" (id int GENERATED ALWAYS AS IDENTITY, b bytea, j jsonb, a int[]);
INSERT INTO "we ird"."ta;ble""x" (b, j, a) VALUES (decode('00ff5c27', 'hex'), '{"a": [1, null]}', '{1,2,NULL}');
CREATE TABLE parts (id int, day date) PARTITION BY RANGE (day);
CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO parts SELECT i, '2026-01-05' FROM generate_series(1, 100) i;
CREATE UNIQUE INDEX unbuilt ON parts_1 (id); UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'unbuilt'::regclass;
CREATE UNLOGGED TABLE scratch (x int); INSERT INTO scratch VALUES (1);
CREATE VIEW v AS SELECT count(*) FROM orders; CREATE MATERIALIZED VIEW mv AS SELECT * FROM orders WHERE id < 10;
CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS $f$ BEGIN NEW.note := NEW.note; RETURN NEW; END; $f$;
CREATE TRIGGER touched BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION touch();
CREATE TRIGGER parted AFTER INSERT ON parts FOR EACH ROW EXECUTE FUNCTION touch();
ALTER TABLE orders OWNER TO owner_role; GRANT SELECT ON orders TO "Reader Role";
ALTER TABLE orders ENABLE ROW LEVEL SECURITY; CREATE POLICY own ON orders USING (true);
CREATE TYPE mood AS ENUM ('sad', 'ok'); CREATE DOMAIN posint AS int CHECK (VALUE > 0);
SELECT lo_from_bytea(4711, decode(repeat('ab', 300000), 'hex'));
SELECT setval('orders_id_seq', 50000);
ALTER DATABASE shop SET work_mem = '8MB'; ALTER ROLE owner_role IN DATABASE shop SET search_path = "we ird", public;
GRANT CONNECT ON DATABASE shop TO owner_role; COMMENT ON DATABASE shop IS 'the shop''s own';
`;

const databases = ['shop', '--file=/x', 'other = base'];

const facts = `
SELECT 'rows', md5(string_agg(t::text, ',' ORDER BY id)) FROM orders t;
SELECT 'odd', * FROM "we ird"."ta;ble""x"; SELECT 'parts', count(*), sum(id) FROM parts_1;
SELECT 'lo', loid, md5(string_agg(data, '' ORDER BY pageno)) FROM pg_largeobject GROUP BY loid; SELECT 'seq', last_value, is_called FROM orders_id_seq;
SELECT 'object', n.nspname, c.relname, c.relkind, pg_get_userbyid(c.relowner), c.relacl::text, c.relrowsecurity, c.relpersistence
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname IN ('public', 'we ird') AND relname <> 'unbuilt' ORDER BY 2, 3;
SELECT 'index', indexdef FROM pg_indexes WHERE schemaname IN ('public', 'we ird') AND indexname <> 'unbuilt' ORDER BY 2;
SELECT 'function', p.oid::regprocedure::text, md5(prosrc) FROM pg_proc p WHERE pronamespace = 'public'::regnamespace AND prosrc LIKE '%NEW%';
SELECT 'trigger', tgname, tgrelid::regclass FROM pg_trigger WHERE NOT tgisinternal ORDER BY 2, 3; SELECT 'policy', policyname FROM pg_policies;
SELECT 'type', typname FROM pg_type WHERE typname IN ('mood', 'posint') ORDER BY 1, 2;
SELECT 'mv', count(*) FROM mv; SELECT 'extension', extname, extversion FROM pg_extension ORDER BY 2;
SELECT 'database', pg_get_userbyid(datdba), pg_encoding_to_char(encoding), to_jsonb(d)->>'datlocprovider', datcollate, datctype, (SELECT string_agg(a::text, ',' ORDER BY a::text) FROM unnest(datacl) a), shobj_description(oid, 'pg_database')
  FROM pg_database d WHERE datname = current_database();
SELECT 'setting', r.rolname, setconfig FROM pg_db_role_setting s LEFT JOIN pg_roles r ON r.oid = setrole
  WHERE setdatabase = (SELECT oid FROM pg_database WHERE datname = current_database()) ORDER BY 2 NULLS FIRST;
SELECT 'member', r.rolname, m.rolname FROM pg_auth_members a JOIN pg_roles r ON r.oid = roleid JOIN pg_roles m ON m.oid = member WHERE r.rolname !~ '^pg_';
SELECT 'password', rolname, rolpassword FROM pg_authid WHERE rolname = 'owner_role';
`;

/** What a backup of one database holds by itself: not what belongs to the database as the server knows it. */
const ownFacts = facts
  .split(';\n')
  .filter((each) => !/'(?:database|setting|member|password)'/.test(each))
  .join(';\n');
const roles = facts
  .split(';\n')
  .filter((each) => /'(?:member|password)'/.test(each))
  .join(';\n');

/** Its words sort and compare as C does, whatever the server's other databases do. */
const ownLocale = "LOCALE_PROVIDER libc LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0";

const locale =
  "SELECT to_jsonb(d)->>'datlocprovider', datcollate FROM pg_database d WHERE datname = current_database()";

/** Fills a server whose database `shop` exists with everything the engine promises to keep. */
export async function seedPostgres(name: string, tools?: Tools): Promise<void> {
  await psql(name, seed, 'shop', tools);
  for (const database of databases.slice(1)) {
    await psql(name, `CREATE DATABASE "${database}" ${ownLocale}`, 'postgres', tools);
    await psql(name, 'CREATE TABLE t AS SELECT generate_series(1, 3) AS x', database, tools);
  }
  // As a DROP DATABASE leaves one that was interrupted.
  await psql(name, 'CREATE DATABASE half', 'postgres', tools);
  await psql(name, "UPDATE pg_database SET datconnlimit = -2 WHERE datname = 'half'", 'postgres', tools);
}

export async function postgresFingerprint(name: string, tools?: Tools): Promise<string> {
  const read = [await psql(name, facts, 'shop', tools)];
  for (const database of databases.slice(1))
    read.push(await psql(name, `SELECT * FROM t ORDER BY 1; ${locale}`, database, tools));
  return read.join('\n---\n');
}

export async function damagePostgres(name: string, tools?: Tools): Promise<void> {
  await psql(
    name,
    'DELETE FROM orders WHERE id % 3 = 0; CREATE TABLE later (x int); SELECT lo_unlink(4711)',
    'shop',
    tools,
  );
}

/** What one artifact holds, or what its line of the manifest made of it. */
export function postgresArtifact(name: string, artifact: string, isRestored: boolean, tools?: Tools): Promise<string> {
  if (artifact === 'globals') return psql(name, roles, 'postgres', tools);
  const database = isRestored ? `restored_${artifact.replace(/\W+/g, '_')}` : artifact;
  if (artifact === 'postgres') return psql(name, 'SELECT count(*) FROM pg_tables', database, tools);
  return psql(name, artifact === 'shop' ? ownFacts : 'SELECT * FROM t ORDER BY 1', database, tools);
}
