import { dockerWithInput } from '../../support/testbed.ts';

/** Runs a program with node:sqlite in the container, as the app's own user. */
export const inApp = (name: string, program: string, ...args: string[]) => {
  const script = `const { DatabaseSync } = require('node:sqlite'); const fs = require('node:fs');\n${program}`;
  return dockerWithInput(script, 'exec', '-i', name, 'node', '--no-warnings', '-', ...args);
};

/** All that the engine promises to keep: rows of every kind of table, pragmas, owner and mode. */
export const fingerprint = `
const { createHash } = require('node:crypto');
for (const path of process.argv.slice(2)) {
  const database = new DatabaseSync(path);
  const all = (sql) => database.prepare(sql).all();
  const quoted = (name) => '"' + name.replaceAll('"', '""') + '"';
  const hash = createHash('sha256');
  for (const { name, wr } of all("SELECT name, wr FROM pragma_table_list WHERE type IN ('table', 'shadow') ORDER BY name")) {
    const columns = all("SELECT name FROM pragma_table_xinfo('" + name.replaceAll("'", "''") + "')").map((column) => 'quote(' + quoted(column.name) + ')');
    const line = [wr ? "''" : 'rowid', ...columns].join(" || ',' || ");
    const rows = all('SELECT ' + line + ' AS line FROM ' + quoted(name) + ' ORDER BY 1');
    hash.update(name + rows.length);
    for (const { line } of rows) hash.update(String(line));
  }
  const schema = createHash('sha256').update(JSON.stringify(all('SELECT type, name, sql FROM sqlite_schema ORDER BY type, name')));
  const pragmas = ['user_version', 'application_id', 'journal_mode', 'page_size', 'encoding', 'auto_vacuum', 'freelist_count'];
  const values = pragmas.map((pragma) => pragma + '=' + Object.values(all('PRAGMA ' + pragma)[0])[0]);
  database.close();
  const { uid, gid, mode } = fs.statSync(path);
  const folder = fs.statSync(require('node:path').dirname(path));
  const digests = [schema, hash].map((each) => each.digest('hex').slice(0, 12));
  console.log([path, ...digests, ...values, uid, gid, (mode & 0o7777).toString(8), folder.uid, folder.gid, (folder.mode & 0o7777).toString(8)].join(' '));
}`;

export const numbers = (count: number) =>
  `(WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c WHERE x < ${count}) SELECT x FROM c)`;

/** One database in WAL mode with everything that is easily lost, and one in DELETE mode with odd pages. */
export const seed = `
const [wal, plain] = process.argv.slice(2);
for (const path of [wal, plain]) fs.mkdirSync(require('node:path').dirname(path), { recursive: true });
const first = new DatabaseSync(wal);
first.exec(\`PRAGMA foreign_keys = OFF; PRAGMA journal_mode = WAL; PRAGMA user_version = 42; PRAGMA application_id = 252006673;
CREATE TABLE "we""ird'; -- \\n.quit" (id INTEGER PRIMARY KEY, note TEXT COLLATE NOCASE, blob BLOB, twice AS (id * 2) STORED);
INSERT INTO "we""ird'; -- \\n.quit" (note, blob) SELECT 'ü\\t' || x, randomblob(x % 300) FROM ${numbers(5000)};
CREATE TABLE bare (a TEXT, b INT, PRIMARY KEY (a, b)) WITHOUT ROWID; INSERT INTO bare SELECT 'k' || (x % 7), x FROM ${numbers(900)};
CREATE TABLE holes (a TEXT); INSERT INTO holes VALUES ('a'), ('b'), (NULL), ('d'); DELETE FROM holes WHERE a = 'a';
CREATE TABLE parent (id INTEGER PRIMARY KEY); CREATE TABLE child (parent REFERENCES parent (id)); INSERT INTO child VALUES (77);
CREATE VIRTUAL TABLE words USING fts5(body); INSERT INTO words VALUES ('the quick brown fox'), ('lazy dog');
CREATE INDEX note_index ON "we""ird'; -- \\n.quit" (lower(note)) WHERE id > 10; CREATE VIEW v AS SELECT count(*) FROM holes;
CREATE TRIGGER t AFTER INSERT ON holes BEGIN UPDATE holes SET a = a; END; CREATE TABLE empty (x);
CREATE TABLE gone (x); INSERT INTO gone SELECT randomblob(90000); DROP TABLE gone\`);
first.close();
fs.chmodSync(wal, 0o640);
const second = new DatabaseSync(plain);
second.exec(\`PRAGMA page_size = 1024; PRAGMA encoding = 'UTF-16le'; PRAGMA auto_vacuum = FULL; PRAGMA journal_mode = DELETE;
CREATE TABLE t (x TEXT UNIQUE); INSERT INTO t SELECT hex(randomblob(40)) FROM ${numbers(2000)}\`);
second.close();`;

export const damage = `
const [wal, plain] = process.argv.slice(2);
const database = new DatabaseSync(wal);
database.exec('DELETE FROM bare WHERE b % 3 = 0; CREATE TABLE later (x); PRAGMA user_version = 7');
database.close();
fs.rmSync(plain);`;
