import { dockerWithInput, nastyPassword } from '../../support/testbed.ts';

export type Product = 'MySQL' | 'MariaDB';

export const databases = ['shop', 'other', '--file=/x', 'ü`b.a€ c'];

const quoted = (name: string) => `\`${name.replaceAll('`', '``')}\``;

/** SQL as root through the client in the container. */
export function runSql(name: string, product: Product, sql: string, ...args: string[]): Promise<string> {
  const client = product === 'MariaDB' ? 'mariadb' : 'mysql';
  const login = ['-uroot', '--batch', '--skip-column-names', '--comments', '--default-character-set=utf8mb4'];
  return dockerWithInput(sql, 'exec', '-i', '-e', `MYSQL_PWD=${nastyPassword}`, name, client, ...login, ...args);
}

/** Everything the engine promises to keep. */
export function seed(product: Product): string {
  return `
CREATE DATABASE shop CHARACTER SET utf8mb4; CREATE DATABASE other CHARACTER SET latin1;
USE shop; SET sql_mode = '';
CREATE TABLE customers (id int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY, name varchar(100) NOT NULL,
  email varchar(100) GENERATED ALWAYS AS (concat(name, '@x')) STORED, size int AS (char_length(name) + 1) VIRTUAL, UNIQUE KEY (email)) AUTO_INCREMENT = 5000;
INSERT INTO customers (name) VALUES ('a'), ('it''s; \\\\ "q"'), ('😀 emoji'), ('-- Dump completed'), ('/* not a comment'), ('line\\nbreak\\r\\n\\t\\0 nul'), ('),('), ('$$');
ALTER TABLE customers AUTO_INCREMENT = 7000;
CREATE TABLE orders (id int AUTO_INCREMENT PRIMARY KEY, customer int unsigned, b varbinary(100), bl longblob, j json, d decimal(20,5), dt date,
  ts timestamp NULL, f double, bi bit(5), e enum('a', 'b'';'), FOREIGN KEY (customer) REFERENCES customers (id) ON DELETE CASCADE) COMMENT = 'a;b''c';
INSERT INTO orders (customer, b, bl, j, d, dt, ts, f, bi, e) VALUES
  (5000, 0x00ff5c27220a, repeat('x\\'\\\\\\0', 10), '{"a": [1, null, "\\\\u00fc"]}', -12345.67890, '0000-00-00', '2026-01-01 00:00:00', 1e-300, b'101', 'b'';'),
  (5001, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
INSERT INTO orders (customer, bl) SELECT 5002, repeat(char(d1.n * 16 + d2.n), 1000) FROM
  (SELECT 0 n UNION SELECT 1 UNION SELECT 2 UNION SELECT 5 UNION SELECT 9 UNION SELECT 15) d1, (SELECT 0 n UNION SELECT 7 UNION SELECT 12 UNION SELECT 13) d2;
CREATE TABLE \`we\`\`ird; na'me\` (\`se;l\`\`ect\` int, x text); INSERT INTO \`we\`\`ird; na'me\` VALUES (1, NULL), (2, ''), (3, repeat('ü''"\`;--', 3000));
CREATE TABLE parts (id int, k int, PRIMARY KEY (id, k)) PARTITION BY RANGE (k) (PARTITION p0 VALUES LESS THAN (10), PARTITION p1 VALUES LESS THAN MAXVALUE);
INSERT INTO parts VALUES (1, 1), (2, 20); CREATE TABLE empty_one (x int); CREATE TABLE old_engine (x int) ENGINE = MyISAM; INSERT INTO old_engine VALUES (1), (2);
CREATE VIEW z_base AS SELECT id, name FROM customers; CREATE VIEW a_view AS SELECT * FROM z_base WHERE id > 1;
CREATE TABLE other.t (id int PRIMARY KEY, note varchar(20)); INSERT INTO other.t VALUES (1, 'ä'), (5000, 'o');
CREATE VIEW crossing AS SELECT c.id, t.note FROM customers c JOIN other.t t ON t.id = c.id;
CREATE VIEW other.back AS SELECT id FROM shop.a_view;
CREATE TABLE other.child (id int PRIMARY KEY, cid int unsigned, CONSTRAINT to_shop FOREIGN KEY (cid) REFERENCES shop.customers (id) ON UPDATE CASCADE);
INSERT INTO other.child VALUES (1, 5000);
CREATE USER 'o''dd \`u;ser'@'10.%' IDENTIFIED BY 'p''w'; CREATE USER maker@'%' IDENTIFIED BY 'x';
CREATE ROLE reader; GRANT SELECT ON shop.* TO reader; GRANT reader TO 'o''dd \`u;ser'@'10.%';
SET DEFAULT ROLE reader ${product === 'MariaDB' ? 'FOR' : 'TO'} 'o''dd \`u;ser'@'10.%';
GRANT SELECT (name) ON shop.customers TO 'o''dd \`u;ser'@'10.%'; GRANT SELECT ON shop.a_view TO 'o''dd \`u;ser'@'10.%';
DELIMITER ;;
CREATE FUNCTION f(a int) RETURNS varchar(100) CHARSET utf8mb4 DETERMINISTIC BEGIN
  -- it's a comment; with a ' quote
  /* and it's; another */
  DECLARE x varchar(20) DEFAULT 'a;b$$c';
  RETURN concat(x, "it's", a); END;;
CREATE DEFINER = maker@'%' PROCEDURE p(OUT n int) COMMENT 'p;r' BEGIN SELECT count(*) INTO n FROM shop.customers; SELECT '$$ ;'; END;;
CREATE TRIGGER t1 BEFORE INSERT ON orders FOR EACH ROW BEGIN SET NEW.f = coalesce(NEW.f, 1); SET @x = ';$$'; END;;
CREATE TRIGGER t2 AFTER UPDATE ON \`we\`\`ird; na'me\` FOR EACH ROW SET @y = 1;;
CREATE EVENT e1 ON SCHEDULE EVERY 1 DAY STARTS '2030-01-01 00:00:00' COMMENT 'e;v' DO BEGIN DELETE FROM empty_one WHERE x = 1; END;;
CREATE EVENT e2 ON SCHEDULE EVERY 1 HOUR STARTS '2030-01-01 00:00:00' DISABLE DO SELECT 1;;
DELIMITER ;
GRANT EXECUTE ON PROCEDURE shop.p TO 'o''dd \`u;ser'@'10.%'; GRANT EXECUTE ON FUNCTION shop.f TO maker@'%'; GRANT SELECT ON shop.customers TO maker@'%';
CREATE DEFINER = maker@'%' SQL SECURITY DEFINER VIEW of_maker AS SELECT f(id) AS f, name FROM customers;
CREATE VIEW over_maker AS SELECT * FROM of_maker;
SET sql_mode = 'NO_BACKSLASH_ESCAPES'; CREATE FUNCTION no_escapes() RETURNS varchar(10) DETERMINISTIC RETURN '\\'; SET sql_mode = 'ANSI_QUOTES';
CREATE PROCEDURE ansi() SELECT 1 AS "it's"; SET sql_mode = DEFAULT;
ALTER DATABASE shop CHARACTER SET latin1; CREATE PROCEDURE of_latin() SELECT 'x'; ALTER DATABASE shop CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
${databases
  .slice(2)
  .map(
    (database) =>
      `CREATE DATABASE ${quoted(database)}; CREATE TABLE ${quoted(database)}.\`tä\` (x int); INSERT INTO ${quoted(database)}.\`tä\` VALUES (1), (2);`,
  )
  .join('\n')}
${product === 'MariaDB' ? mariadbSeed : mysqlSeed}`;
}

const mariadbSeed = `
CREATE SEQUENCE s1 START WITH 100 INCREMENT BY 10; SELECT nextval(s1);
CREATE TABLE numbered (id int DEFAULT nextval(s1), x int); INSERT INTO numbered (x) VALUES (1), (2);
CREATE TABLE versioned (id int PRIMARY KEY, x int) WITH SYSTEM VERSIONING; INSERT INTO versioned VALUES (1, 1), (2, 2);
UPDATE versioned SET x = 5 WHERE id = 1; DELETE FROM versioned WHERE id = 2;
CREATE TABLE hidden (a int, b int INVISIBLE DEFAULT 4, u uuid, ip inet6); INSERT INTO hidden (a, b, u, ip) VALUES (1, 2, '123e4567-e89b-12d3-a456-426655440000', '::1');
GRANT SELECT ON shop.empty_one TO PUBLIC;
CREATE TABLE aria_one (x int) ENGINE = Aria PAGE_CHECKSUM = 1; INSERT INTO aria_one VALUES (7);
SET sql_mode = 'ORACLE';
DELIMITER ;;
CREATE PACKAGE pack AS FUNCTION one RETURN INT; END;;
CREATE PACKAGE BODY pack AS FUNCTION one RETURN INT AS BEGIN RETURN 1; END; END;;
DELIMITER ;
SET sql_mode = DEFAULT;`;

const mysqlSeed = `
CREATE TABLE hidden (a int, b int INVISIBLE DEFAULT 4, KEY ((a + 1))); INSERT INTO hidden (a, b) VALUES (1, 2);
CREATE TABLE places (g geometry NOT NULL SRID 4326, SPATIAL KEY (g)); INSERT INTO places VALUES (ST_GeomFromText('POINT(1 2)', 4326));
DELIMITER ;;
CREATE LIBRARY lib LANGUAGE JAVASCRIPT AS $$ // it's; unbalanced
export function f(n) { return \`x\`; } $$;;
DELIMITER ;
CREATE USER expired@localhost IDENTIFIED BY 'y' PASSWORD EXPIRE ACCOUNT LOCK COMMENT 'it''s; locked';`;

/** Live data that differs in every respect from what was seeded. */
export const damage = `
USE shop; DELETE FROM orders WHERE id % 3 = 0; UPDATE customers SET name = 'changed' WHERE id = 5002;
CREATE TABLE later (x int, y int unsigned, FOREIGN KEY (y) REFERENCES customers (id)); CREATE VIEW later_view AS SELECT 1 AS x; CREATE TRIGGER later_trigger BEFORE INSERT ON later FOR EACH ROW SET @z = 1;
DROP VIEW crossing; CREATE TABLE crossing (x int); DROP PROCEDURE ansi; CREATE PROCEDURE later_procedure() SELECT 1; CREATE OR REPLACE VIEW a_view AS SELECT 1 AS id;
DROP EVENT e1; DROP TABLE empty_one; ALTER DATABASE shop CHARACTER SET latin1; DROP DATABASE \`--file=/x\`;
INSERT INTO orders (customer) VALUES (5003);`;

const catalogue = (database: string) => {
  const is = (column: string) => `${column} = '${database}'`;
  return `
SELECT 'schema', SCHEMA_NAME, DEFAULT_CHARACTER_SET_NAME, DEFAULT_COLLATION_NAME FROM information_schema.SCHEMATA WHERE ${is('SCHEMA_NAME')};
SELECT 'table', TABLE_NAME, TABLE_TYPE, ENGINE, TABLE_COLLATION, AUTO_INCREMENT, CREATE_OPTIONS, IF(TABLE_TYPE LIKE '%VIEW', '', TABLE_COMMENT) FROM information_schema.TABLES WHERE ${is('TABLE_SCHEMA')} ORDER BY TABLE_NAME;
SELECT 'column', TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, COLUMN_DEFAULT, IS_NULLABLE, EXTRA, GENERATION_EXPRESSION, COLLATION_NAME FROM information_schema.COLUMNS WHERE ${is('TABLE_SCHEMA')} ORDER BY TABLE_NAME, ORDINAL_POSITION;
SELECT 'index', TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX, COLUMN_NAME, NON_UNIQUE FROM information_schema.STATISTICS WHERE ${is('TABLE_SCHEMA')} ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX;
SELECT 'key', TABLE_NAME, CONSTRAINT_NAME, UNIQUE_CONSTRAINT_SCHEMA, REFERENCED_TABLE_NAME, UPDATE_RULE, DELETE_RULE FROM information_schema.REFERENTIAL_CONSTRAINTS WHERE ${is('CONSTRAINT_SCHEMA')} ORDER BY TABLE_NAME, CONSTRAINT_NAME;
SELECT 'view', TABLE_NAME, VIEW_DEFINITION, DEFINER, SECURITY_TYPE, CHECK_OPTION, CHARACTER_SET_CLIENT, COLLATION_CONNECTION FROM information_schema.VIEWS WHERE ${is('TABLE_SCHEMA')} ORDER BY TABLE_NAME;
SELECT 'routine', ROUTINE_TYPE, ROUTINE_NAME, DTD_IDENTIFIER, ROUTINE_DEFINITION, SQL_MODE, DEFINER, ROUTINE_COMMENT, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION FROM information_schema.ROUTINES WHERE ${is('ROUTINE_SCHEMA')} ORDER BY ROUTINE_NAME, ROUTINE_TYPE;
SELECT 'trigger', TRIGGER_NAME, ACTION_TIMING, EVENT_MANIPULATION, EVENT_OBJECT_TABLE, ACTION_STATEMENT, SQL_MODE, DEFINER, CHARACTER_SET_CLIENT, COLLATION_CONNECTION, DATABASE_COLLATION FROM information_schema.TRIGGERS WHERE ${is('TRIGGER_SCHEMA')} ORDER BY TRIGGER_NAME;
SELECT 'event', EVENT_NAME, DEFINER, TIME_ZONE, EVENT_DEFINITION, INTERVAL_VALUE, INTERVAL_FIELD, STARTS, STATUS, SQL_MODE, EVENT_COMMENT, DATABASE_COLLATION FROM information_schema.EVENTS WHERE ${is('EVENT_SCHEMA')} ORDER BY EVENT_NAME;`;
};

const contents = (product: Product) => `
SELECT * FROM customers ORDER BY id; SELECT id, customer, hex(b), sha2(bl, 256), j, d, dt, ts, f, hex(bi), e FROM orders ORDER BY id;
SELECT \`se;l\`\`ect\`, sha2(x, 256), x IS NULL FROM \`we\`\`ird; na'me\` ORDER BY 1; SELECT * FROM parts PARTITION (p1); SELECT * FROM old_engine; SELECT * FROM hidden; SELECT b FROM hidden;
${product === 'MariaDB' ? 'SELECT *, row_start, row_end FROM versioned FOR SYSTEM_TIME ALL ORDER BY id, row_start; SELECT * FROM numbered ORDER BY id; SELECT * FROM aria_one;' : 'SELECT ST_AsText(g) FROM places; SELECT LIBRARY_DEFINITION FROM information_schema.LIBRARIES WHERE LIBRARY_SCHEMA = DATABASE();'}`;

const uses = (product: Product) => `
USE shop; SELECT * FROM a_view ORDER BY id; SELECT * FROM crossing ORDER BY id; SELECT * FROM over_maker ORDER BY name; CALL p(@n); SELECT @n, f(3), no_escapes(); CALL ansi();
SELECT * FROM other.t ORDER BY id; SELECT * FROM other.child; SELECT * FROM other.back ORDER BY id;
${product === 'MariaDB' ? 'SELECT next_not_cached_value FROM s1; SELECT pack.one();' : ''}`;

const accounts = (product: Product) => `
${product === 'MySQL' ? 'SET SESSION print_identified_with_as_hex = ON; SHOW CREATE USER expired@localhost;' : ''}
SHOW CREATE USER 'o''dd \`u;ser'@'10.%'; SHOW GRANTS FOR 'o''dd \`u;ser'@'10.%'; SHOW CREATE USER maker@'%'; SHOW GRANTS FOR maker@'%'; SHOW GRANTS FOR reader; ${product === 'MariaDB' ? 'SHOW GRANTS FOR PUBLIC;' : ''}`;

/** Everything the engine promises to keep, as text. */
export async function fingerprint(name: string, product: Product): Promise<string> {
  const fresh = product === 'MySQL' ? 'SET SESSION information_schema_stats_expiry = 0;' : '';
  const others = databases.slice(2).map((database) => `SELECT * FROM ${quoted(database)}.\`tä\` ORDER BY 1;`);
  const sql = [
    fresh,
    ...databases.map(catalogue),
    `USE shop; ${contents(product)}`,
    uses(product),
    accounts(product),
    ...others,
  ];
  // A database that was dropped is a difference too, not a failure of the question.
  return runSql(name, product, sql.join('\n'), '--force').catch((error: unknown) => String(error));
}

/** Views that need another database, or rights on tables that are not there yet, are made by hand when all is there. */
export const standAlone = 'DROP VIEW shop.crossing; DROP VIEW other.back; DROP VIEW shop.over_maker;';

/** What one artifact holds, or what its line of the manifest made of it. */
export function rows(name: string, product: Product, artifact: string, isRestored: boolean): Promise<string> {
  if (artifact === 'users') return runSql(name, product, accounts(product));
  const isRenamed = isRestored && !['shop', 'other'].includes(artifact);
  const database = isRenamed ? `restored_${artifact.replace(/[^A-Za-z0-9]+/g, '_')}` : artifact;
  return runSql(name, product, artifact === 'shop' ? contents(product) : 'SHOW TABLES;', `--database=${database}`);
}
