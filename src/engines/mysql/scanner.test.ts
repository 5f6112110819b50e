import assert from 'node:assert/strict';
import { randomInt } from 'node:crypto';
import { describe, it } from 'node:test';
import { SqlScanner } from './scanner.ts';

interface Read {
  readonly statements: readonly { readonly text: string; readonly groups: number }[];
  readonly comments: readonly string[];
  readonly isAtRest: boolean;
}

/** Reads the text in pieces of the given sizes. */
function read(text: string | Buffer, nextSize: () => number): Read {
  const bytes = Buffer.from(text as string);
  const scanner = new SqlScanner();
  const statements: { text: string; groups: number }[] = [];
  const comments: string[] = [];
  let parts: Buffer[] = [];
  const take = (pieces: ReturnType<SqlScanner['scan']>) => {
    for (const piece of pieces) {
      if (piece.kind === 'comment') comments.push(piece.text);
      else {
        parts.push(piece.bytes);
        if (!piece.isLast) continue;
        statements.push({ text: Buffer.concat(parts).toString(), groups: piece.groups });
        parts = [];
      }
    }
  };
  for (let at = 0; at < bytes.length; ) {
    const size = nextSize();
    take(scanner.scan(bytes.subarray(at, at + size)));
    at += size;
  }
  take(scanner.end());
  return { statements, comments, isAtRest: scanner.isAtRest };
}

const whole = (text: string) => read(text, () => Number.MAX_SAFE_INTEGER);
const byteByByte = (text: string) => read(text, () => 1);
const texts = ({ statements }: Read) => statements.map(({ text }) => text);

describe('the scanner of dumps', () => {
  it('ends statements at the delimiter, but not inside strings, names and comments', () => {
    const sql = [
      `INSERT INTO \`a;b\` VALUES (1,'x;y\\';'),(2,"z;""");`,
      '/* plain ; comment */ SELECT 1;',
      "-- it's a comment;\nSELECT -- don't; end\n 2;",
      "# it's; another\nSELECT 3 # isn't; it\n;",
      '/*!50003 SET @x = 1 */;',
      "SELECT 5--1, 'a' 'b', `c``;d`;",
    ].join('\n');
    for (const found of [whole(sql), byteByByte(sql)]) {
      assert.deepEqual(texts(found), [
        `INSERT INTO \`a;b\` VALUES (1,'x;y\\';'),(2,"z;""")`,
        '/* plain ; comment */ SELECT 1',
        "SELECT -- don't; end\n 2",
        "SELECT 3 # isn't; it\n",
        '/*!50003 SET @x = 1 */',
        "SELECT 5--1, 'a' 'b', `c``;d`",
      ]);
      assert.deepEqual(found.comments, ["-- it's a comment;", "# it's; another"]);
      assert.ok(found.isAtRest);
    }
  });

  it('counts the outermost parentheses only: the rows of an INSERT', () => {
    const sql = "INSERT INTO t (a, b) VALUES (1,(2)),(')(',0x28),\n(NULL,f((1)));INSERT INTO t VALUES (1);";
    assert.deepEqual(
      whole(sql).statements.map(({ groups }) => groups),
      [4, 1],
    );
  });

  it('honours DELIMITER, also with an event that sets it again', () => {
    const sql =
      "DELIMITER ;;\nCREATE PROCEDURE p() BEGIN SELECT ';'; -- ;;\n END ;;\nDELIMITER ;;\nSELECT 1; SELECT 2 ;;\nDELIMITER ;\nSELECT 3;\n";
    for (const found of [whole(sql), byteByByte(sql)]) {
      assert.deepEqual(texts(found), [
        "CREATE PROCEDURE p() BEGIN SELECT ';'; -- ;;\n END ",
        'SELECT 1; SELECT 2 ',
        'SELECT 3',
      ]);
      assert.ok(found.isAtRest);
    }
    assert.equal(whole('DELIMITER ;;\nSELECT 1 ;;\n').isAtRest, false);
  });

  it('takes backslashes for what the SQL mode says', () => {
    const sql = `/*!50003 SET sql_mode = 'NO_BACKSLASH_ESCAPES' */ ;\nDELIMITER ;;\nCREATE FUNCTION f() RETURN '\\' ;;\nDELIMITER ;
/*!50003 SET sql_mode = @saved_sql_mode */ ;\nSELECT '\\';';\nSET @saved_sql_mode = @@sql_mode;\nSELECT '\\\\';`;
    for (const found of [whole(sql), byteByByte(sql)]) {
      assert.equal(texts(found)[1], "CREATE FUNCTION f() RETURN '\\' ");
      assert.equal(texts(found)[3], "SELECT '\\';'");
      assert.equal(texts(found)[5], "SELECT '\\\\'");
      assert.ok(found.isAtRest);
    }
  });

  it('takes what double quotes hold for a name where the SQL mode says so: a backslash means nothing in it', () => {
    const sql = `/*!50003 SET sql_mode = 'REAL_AS_FLOAT,ANSI_QUOTES,ANSI' */ ;\nDELIMITER ;;\nCREATE FUNCTION "f\\"() RETURN ';\\';;' ;;\nDELIMITER ;
/*!50003 SET sql_mode = @saved_sql_mode */ ;\nSELECT "\\";";\n`;
    for (const found of [whole(sql), byteByByte(sql)]) {
      assert.equal(texts(found)[1], `CREATE FUNCTION "f\\"() RETURN ';\\';;' `);
      assert.equal(texts(found)[3], `SELECT "\\";"`);
      assert.ok(found.isAtRest);
    }
  });

  it('takes an SQL mode from statements that set it, and not from what others hold', () => {
    const sql = [
      "INSERT INTO t VALUES (' sql_mode=',NULL,' NO_BACKSLASH_ESCAPES');",
      "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SET sql_mode='NO_BACKSLASH_ESCAPES';",
      "SELECT '\\';';",
      "SET @old=@@sql_mode, sql_mode='NO_BACKSLASH_ESCAPES';",
      "SELECT '\\';",
    ].join('\n');
    for (const found of [whole(sql), byteByByte(sql)]) {
      assert.equal(texts(found)[2], "SELECT '\\';'");
      assert.equal(texts(found)[4], "SELECT '\\'");
    }
  });

  it('knows the dollar quotes of MySQL 9, and that others have none', () => {
    const body = "CREATE LIBRARY l AS $js$ // it's; $$ `odd\n$js$";
    const sql = (heading: string) => `${heading}\nDELIMITER ;;\n${body} ;;\nDELIMITER ;\nSELECT 1;\n`;
    for (const reading of [whole, byteByByte]) {
      const found = reading(sql('-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)'));
      assert.deepEqual(texts(found), [`${body} `, 'SELECT 1']);
      // Before 10.5 the tools of MariaDB called themselves MySQL.
      for (const heading of ['MariaDB dump 10.19-11.8.6-MariaDB', 'MySQL dump 10.16  Distrib 10.1.48-MariaDB'])
        assert.equal(reading(sql(`-- ${heading}, for debian-linux-gnu (x86_64)`)).isAtRest, false);
    }
    // Inside a name they are no quotes, wherever a chunk ends.
    const name = `-- MySQL dump 10.13  Distrib 9.7.4, for Linux\nSELECT ${'a'.repeat(120)}$$b;SELECT c$$d;${' '.repeat(100)}\n`;
    for (let size = 1; size < 200; size += 1) assert.equal(texts(read(name, () => size)).length, 2);
  });

  it('takes the first line of a dump of MariaDB for the command to the client that it is', () => {
    for (const line of ['/*M!999999\\- enable the sandbox mode */ ', '/*!999999\\- enable the sandbox mode */']) {
      const found = byteByByte(`${line}\n-- MariaDB dump 10.19\n/*!40101 SET NAMES utf8mb4 */;\n`);
      assert.deepEqual(texts(found), ['/*!40101 SET NAMES utf8mb4 */']);
    }
  });

  it('gets through comments and dollar quotes that are longer than a chunk', { timeout: 10_000 }, () => {
    const long = "x; it's ".repeat(100);
    const heading = '-- MySQL dump 10.13  Distrib 9.7.4, for Linux (x86_64)\n';
    const statements = [
      `SELECT 1 /* ${long} */ + 2`,
      `SELECT 1 -- ${long}\n + 2`,
      `SELECT $x$ ${long} $x$`,
      `SELECT "${long}"`,
    ];
    const sql = `${heading}${statements.map((statement) => `${statement};\n`).join('')}`;
    for (let size = 1; size < 400; size += 1) {
      const found = read(sql, () => size);
      assert.deepEqual(texts(found), statements);
      assert.ok(found.isAtRest);
    }
  });

  it('is not at rest inside anything', () => {
    for (const open of ["SELECT '", 'SELECT `a', 'SELECT 1', 'SELECT /* x', "SELECT 'a\\';", '/*!50003 x */']) {
      assert.equal(whole(open).isAtRest, false, open);
      assert.equal(byteByByte(open).isAtRest, false, open);
    }
  });

  it('finds the same statements whatever the text and wherever it is cut into chunks', () => {
    for (let round = 0; round < 300; round += 1) {
      const dump = randomDump();
      const found = read(dump.text, () => randomInt(1, 200));
      assert.deepEqual(found.statements, dump.statements, JSON.stringify(dump.text));
      assert.ok(found.isAtRest);
    }
  });
});

const pick = <T>(choices: readonly T[]): T => choices[randomInt(choices.length)] as T;
const nasty = [
  ' long '.repeat(40),
  "'",
  '"',
  '`',
  '\\',
  ';',
  ';;',
  '-- ',
  '--',
  '/*',
  '*/',
  '#',
  '(',
  ')',
  '),(',
  '$$',
  'DELIMITER ;;',
  '\n',
  '\r',
  '\0',
  'ü',
  '😀',
  'a',
  '/*!',
  ' ',
];
const salad = () => Array.from({ length: randomInt(8) }, () => pick(nasty)).join('');
const string = () => `'${salad().replace(/['"\\]/g, '\\$&')}'`;
const doubled = () => `"${salad().replaceAll('\\', '\\\\').replaceAll('"', '""')}"`;
const quotedName = () => `\`${salad().replaceAll('`', '``').replaceAll('\n', '')}x\``;
const value = () =>
  pick([string, doubled, () => String(randomInt(1000) - 500), () => '0x275C3B', () => 'NULL', () => '-1.5e-7'])();
const inner = () =>
  pick([
    () => '',
    () => `/* ${salad().replaceAll('*/', '')} */`,
    () => `-- ${salad().replaceAll('\n', '')}\n`,
    () => `# ${salad().replaceAll('\n', '')}\n`,
  ])();

function randomInsert(): { text: string; groups: number } {
  const rows = randomInt(1, 6);
  const columns = pick(['', ` (${quotedName()}, ${quotedName()})`]);
  const tuples = Array.from({ length: rows }, () => `(${value()},${value()},${value()})`);
  return {
    text: `INSERT INTO ${quotedName()}${columns} VALUES ${tuples.join(pick([',', ',\n']))}`,
    groups: rows + (columns ? 1 : 0),
  };
}

function randomRoutine(): { text: string; groups: number } {
  const body = Array.from({ length: randomInt(4) }, () => `SELECT ${value()}${inner()} ; `).join('');
  return { text: `CREATE PROCEDURE ${quotedName()}() BEGIN ${body}END`, groups: 1 };
}

/** A text in the manner of a dump, and what a reader must find in it. */
function randomDump(): { text: string; statements: { text: string; groups: number }[] } {
  const statements: { text: string; groups: number }[] = [];
  let text = '';
  for (let left = randomInt(1, 12); left > 0; left -= 1) {
    if (randomInt(4) === 0) text += pick(["\n--\n-- Table structure; it's\n--\n\n", '# a; comment\n', '\n\n', ' ']);
    if (randomInt(3) === 0) {
      const routine = randomRoutine();
      text += `${text === '' || text.endsWith('\n') ? '' : '\n'}DELIMITER ;;\n${routine.text};;\nDELIMITER ;\n`;
      statements.push(routine);
    } else {
      const insert = randomInsert();
      text += `${insert.text};${pick(['\n', '', ' '])}`;
      statements.push(insert);
    }
  }
  return { text, statements };
}
