import { asBytes, isName, isSymbol, isWord, type Token, tokens } from './lexer.ts';
import { identifier } from './sql.ts';

/** Functions that name a sequence with its database, whatever the database of the table is. */
const sequenceFunctions = ['NEXTVAL', 'LASTVAL', 'SETVAL'];

/**
 * A CREATE TABLE (latin1) whose defaults draw from the sequences of `to` instead of those of `from`. MariaDB writes the
 * database into each such default, and makes no table whose sequence is not there.
 */
export function redirectSequences(statement: string, from: string, to: string): string {
  if (!/(?:next|last|set)val\(/i.test(statement)) return statement;
  const found = [...tokens(statement)];
  const edits = found.flatMap((token, index) => {
    const [open, database, dot] = found.slice(index + 1, index + 4);
    const isReference = isWord(token, ...sequenceFunctions) && isSymbol(open, '(') && isSymbol(dot, '.');
    if (!isReference || !isName(database) || database.value !== asBytes(from)) return [];
    return [{ start: database.start, end: database.end, text: asBytes(identifier(to)) }];
  });
  return edited(statement, edits);
}

/**
 * A CREATE TRIGGER (latin1) without database names in its head: MariaDB keeps the words of whoever made the trigger, and
 * with a database in them it would be made on the live table whatever database is chosen.
 */
export function unqualifyTrigger(statement: string): string {
  const found = [...tokens(statement)];
  const trigger = found.findIndex((token) => isWord(token, 'TRIGGER'));
  if (trigger < 0) return statement;
  const name = trigger + 1 + (isWord(found[trigger + 1], 'IF') ? 3 : 0);
  const on = found.findIndex((token, index) => index > name && isWord(token, 'ON'));
  const edits = [name, on + 1].flatMap((index) => qualifier(found, index));
  return edited(statement, on < 0 ? [] : edits);
}

/** A CREATE EVENT (latin1) that will not run: in a copy it would do the work of the original a second time. */
export function disableEvent(statement: string): string {
  for (const token of tokens(statement)) {
    if (isWord(token, 'DO')) break;
    if (isWord(token, 'ENABLE')) return edited(statement, [{ start: token.start, end: token.end, text: 'DISABLE' }]);
  }
  return statement;
}

/** True when the statement (latin1) names the database. */
export function names(statement: string, database: string): boolean {
  const wanted = asBytes(database);
  let previous: Token | undefined;
  for (const token of tokens(statement)) {
    if (isSymbol(token, '.') && previous && previous.kind !== 'string' && previous.value === wanted) return true;
    previous = token;
  }
  return false;
}

interface Edit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

function qualifier(found: readonly Token[], index: number): Edit[] {
  const [database, dot, name] = found.slice(index, index + 3);
  if (!isName(database) || !isSymbol(dot, '.') || !isName(name)) return [];
  return [{ start: database.start, end: name.start, text: '' }];
}

function edited(statement: string, edits: readonly Edit[]): string {
  let result = '';
  let at = 0;
  for (const { start, end, text } of edits) {
    result += statement.slice(at, start) + text;
    at = end;
  }
  return result + statement.slice(at);
}
