import { notWholeHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Counts } from '../../domain/manifest.ts';
import type { CatalogueObject } from './catalogue.ts';
import { countKinds, rowsOf } from './counts.ts';
import { type Piece, SqlScanner } from './scanner.ts';
import { headBytes, understand } from './statement.ts';

/** Names of counts that are no kinds of objects. */
export const longestStatement = 'bytes of the longest statement';
export const otherStatements = 'statements of other kinds';

/**
 * Reads the dump of one database to its end and proves that it is whole: it begins as the tools begin, its last line is
 * their end marker, and every statement between was ended where it should be. Counts on the way what it holds.
 */
export class DumpReader {
  readonly #database: string;
  readonly #scanner = new SqlScanner();
  readonly #objects: { kind: CatalogueObject['kind'] }[] = [];
  readonly #rows = new Map<string, number>();
  #head = '';
  #bytes = 0;
  #longest = 0;
  #others = 0;
  #hasHeading = false;
  #lastComment = '';

  constructor(database: string) {
    this.#database = database;
  }

  read(chunk: Buffer): void {
    for (const piece of this.#scanner.scan(chunk)) this.#take(piece);
  }

  /** Call after the last byte; rejects PROOF_FAILED when anything is missing. */
  finish(): Counts {
    for (const piece of this.#scanner.end()) this.#take(piece);
    if (!this.#hasHeading) throw this.#failed('does not begin like one');
    const isEnded = /^-- Dump completed(?: on \d{4}-\d\d-\d\d [ \d]\d:\d\d:\d\d)?$/.test(this.#lastComment);
    if (!isEnded || this.#scanner.lastByte !== 10) throw this.#failed('has no end marker, so it is cut');
    if (!this.#scanner.isAtRest) throw this.#failed('ends inside a statement');
    const rows = Object.fromEntries([...this.#rows].map(([table, count]) => [rowsOf(table), count]));
    const others = this.#others > 0 ? { [otherStatements]: this.#others } : {};
    return {
      how: 'dump',
      objects: { ...countKinds(this.#objects), [longestStatement]: this.#longest, ...others, ...rows },
    };
  }

  #take(piece: Piece): void {
    if (piece.kind === 'comment') {
      if (/^-- (?:MySQL|MariaDB) dump /.test(piece.text)) this.#hasHeading = true;
      this.#lastComment = piece.text;
      return;
    }
    this.#lastComment = '';
    if (this.#head.length < headBytes) this.#head += piece.bytes.toString('latin1', 0, headBytes - this.#head.length);
    this.#bytes += piece.bytes.length;
    if (!piece.isLast) return;
    this.#statement(this.#head, piece);
    this.#longest = Math.max(this.#longest, this.#bytes);
    this.#head = '';
    this.#bytes = 0;
  }

  #statement(head: string, { groups, isBalanced }: { groups: number; isBalanced: boolean }): void {
    if (!this.#hasHeading) throw this.#failed('does not begin like one');
    const statement = understand(head);
    if (statement.does === 'insert') {
      const rows = this.#rows.get(statement.table);
      if (!isBalanced) throw this.#failed(`has a broken row of ${statement.table}`);
      if (rows === undefined) throw this.#failed(`has rows of ${statement.table}, a table that it does not make`);
      this.#rows.set(statement.table, rows + groups - (statement.namesColumns ? 1 : 0));
    } else if (statement.does === 'create') {
      if (statement.what === 'placeholder') return;
      if (statement.what === 'table') {
        if (this.#rows.has(statement.name)) throw this.#failed(`makes table ${statement.name} twice`);
        this.#rows.set(statement.name, 0);
      }
      this.#objects.push({ kind: statement.what });
    } else if (statement.does === 'other') {
      this.#others += 1;
    }
  }

  #failed(why: string): LifeboatError {
    return new LifeboatError('PROOF_FAILED', `the dump of database ${this.#database} ${why}`, { hint: notWholeHint });
  }
}
