import type { Readable } from 'node:stream';
import { untouchedHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import { asBytes } from './lexer.ts';
import { disableEvent, names, redirectSequences, unqualifyTrigger } from './rewrite.ts';
import { SqlScanner } from './scanner.ts';
import { databaseStatement, SessionState, type StatementSettings, settingStatements } from './session-state.ts';
import { identifier } from './sql.ts';
import { type CodeKind, headBytes, type Statement, understand } from './statement.ts';

/** A routine, trigger, event or view, or the stand-in of a view, ready to be made in any database. */
export interface CodeStatement {
  readonly kind: CodeKind | 'placeholder';
  readonly name: string;
  /** The statement in the bytes of the dump (latin1). */
  readonly text: string;
  readonly settings: StatementSettings;
}

/** No statement but an INSERT comes near this. */
const codeLimit = 256 * 1024 * 1024;

/**
 * Takes a dump apart. Tables, their rows and sequences go out as they come, to be loaded at once; everything else is kept
 * for when the tables are in their final place. Nothing that goes out names a database but in foreign keys.
 */
export class DumpSplitter {
  readonly #source: string;
  readonly #staging: string;
  readonly #scanner = new SqlScanner();
  readonly #state = new SessionState();
  readonly code: CodeStatement[] = [];

  /** `source` is the database as the dump names it, `staging` the one the tables are loaded into. */
  constructor(source: string, staging: string) {
    this.#source = source;
    this.#staging = staging;
  }

  /** The part to be loaded at once; `code` is complete when it has ended. */
  async *tables(plain: Readable): AsyncGenerator<Buffer> {
    const statement = { held: [] as Buffer[], bytes: 0, isPassing: false };
    for await (const chunk of plain as AsyncIterable<Buffer>) yield* this.#pieces(this.#scanner.scan(chunk), statement);
    yield* this.#pieces(this.#scanner.end(), statement);
    if (!this.#scanner.isAtRest)
      throw new LifeboatError('RESTORE_FAILED', `the dump of ${this.#source} is cut`, { hint: untouchedHint });
  }

  *#pieces(pieces: ReturnType<SqlScanner['scan']>, statement: Held): Generator<Buffer> {
    for (const piece of pieces) {
      if (piece.kind === 'comment') continue;
      if (statement.isPassing) {
        yield piece.bytes;
      } else {
        statement.held.push(piece.bytes);
        statement.bytes += piece.bytes.length;
        // Rows pass through piece by piece; everything else is small and looked at as a whole.
        if (isRows(statement.held, statement.bytes)) {
          statement.isPassing = true;
          yield* statement.held;
          statement.held = [];
        } else if (statement.bytes > codeLimit) {
          throw new LifeboatError(
            'RESTORE_FAILED',
            `the dump of ${this.#source} has a definition of more than 256 MiB`,
            { hint: 'restore it by hand: the line is in the manifest' },
          );
        }
      }
      if (!piece.isLast) continue;
      if (statement.isPassing) yield ending;
      else yield* this.#whole(Buffer.concat(statement.held).toString('latin1'));
      Object.assign(statement, { held: [], bytes: 0, isPassing: false });
    }
  }

  *#whole(text: string): Generator<Buffer> {
    const statement = understand(text.slice(0, headBytes));
    const passed = this.#route(statement, text);
    if (passed === undefined) return;
    yield Buffer.from(passed, 'latin1');
    yield ending;
  }

  /** What of a statement belongs to the tables, if anything. */
  #route(statement: Statement, text: string): string | undefined {
    if (statement.does === 'set') {
      this.#state.set(text);
      return text;
    }
    if (statement.does === 'alter database') {
      this.#state.alterDatabase(text);
      return undefined;
    }
    if (statement.does === 'drop') return undefined; // Everything is loaded into an empty database.
    if (statement.does !== 'create') return text;
    const { what, name } = statement;
    if (what === 'sequence') return text;
    if (what === 'table') return redirectSequences(text, this.#source, this.#staging);
    this.code.push({ kind: what, name, text, settings: this.#state.snapshot() });
    return undefined;
  }
}

interface Held {
  held: Buffer[];
  bytes: number;
  isPassing: boolean;
}

const ending = Buffer.from(';\n');

function isRows(held: readonly Buffer[], bytes: number): boolean {
  return bytes >= 12 && /^\s*(?:INSERT|REPLACE)\s/i.test(Buffer.concat(held, 12).toString('latin1'));
}

/** The database that code is made in. */
export interface CodePlace {
  readonly database: string;
  /** Its own character set and collation, as a clause; a routine made under other ones keeps them. */
  readonly defaults: string;
  /** In a copy no event runs. */
  readonly isCopy: boolean;
}

/** SQL (latin1) that makes these in the chosen database, in this order. */
export function codeScript(code: readonly CodeStatement[], { database, defaults, isCopy }: CodePlace): string {
  return code
    .map(({ kind, name, text, settings }) => {
      const drop = kind === 'view' ? `DROP VIEW IF EXISTS ${asBytes(identifier(name))};\n` : '';
      const body = kind === 'trigger' ? unqualifyTrigger(text) : kind === 'event' && isCopy ? disableEvent(text) : text;
      const made = `${drop}${settingStatements(settings)}DELIMITER ;;\n${body}\n;;\nDELIMITER ;\n`;
      const own = settings.database;
      if (own === undefined || own === defaults) return made;
      return databaseStatement(database, own) + made + databaseStatement(database, defaults);
    })
    .join('');
}

/** Routines, triggers, events and views whose text names the database: in a copy they still mean the original. */
export function namingDatabase(code: readonly CodeStatement[], database: string): string[] {
  return code
    .filter(
      ({ kind, text }) => kind !== 'placeholder' && names(kind === 'trigger' ? unqualifyTrigger(text) : text, database),
    )
    .map(({ kind, name }) => `${kind} ${name}`);
}
