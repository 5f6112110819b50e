import { asText, isSymbol, isWord, type Token, tokens } from './lexer.ts';

/** Objects of a database that are not tables: they are made again in their final place, after the tables are there. */
const codeKinds = ['library', 'procedure', 'function', 'package', 'package body', 'view', 'trigger', 'event'] as const;
export type CodeKind = (typeof codeKinds)[number];

/** What one statement of a dump does. */
export type Statement =
  | { readonly does: 'insert'; readonly table: string; readonly namesColumns: boolean }
  | { readonly does: 'create'; readonly what: 'table' | 'sequence' | CodeKind; readonly name: string }
  /** A stand-in with the columns of a view, so that views can be made in any order. */
  | { readonly does: 'create'; readonly what: 'placeholder'; readonly name: string }
  | { readonly does: 'drop'; readonly what: string }
  | { readonly does: 'set' }
  | { readonly does: 'alter database' }
  /** Locks, keys, commits and sequence positions: they belong to the tables. */
  | { readonly does: 'serve' }
  | { readonly does: 'other'; readonly word: string };

const objects = new Set(['TABLE', 'SEQUENCE', ...codeKinds.map((kind) => kind.toUpperCase())]);
const served = new Set(['LOCK', 'UNLOCK', 'COMMIT', 'DO', 'START']);

/** Enough of a statement to know what it does: names are at most 64 characters, accounts at most 350. */
export const headBytes = 4096;

/** Reads the first bytes of a statement (latin1). */
export function understand(head: string): Statement {
  const words = tokens(head);
  const first = words.next().value as Token | undefined;
  const keyword = first?.kind === 'word' ? first.value.toUpperCase() : '';
  if (keyword === 'INSERT' || keyword === 'REPLACE') return insert(words);
  if (keyword === 'CREATE') return create(words) ?? { does: 'other', word: 'CREATE' };
  if (keyword === 'SET') return { does: 'set' };
  const second = words.next().value as Token | undefined;
  if (keyword === 'DROP') return { does: 'drop', what: second?.value.toLowerCase() ?? '' };
  if (keyword === 'ALTER' && isWord(second, 'DATABASE', 'SCHEMA')) return { does: 'alter database' };
  if (served.has(keyword) || (keyword === 'ALTER' && isWord(second, 'TABLE'))) return { does: 'serve' };
  return { does: 'other', word: keyword || head.slice(0, 20) };
}

function insert(words: Iterable<Token>): Statement {
  let table: string | undefined;
  for (const token of words) {
    if (table === undefined) {
      if (token.kind === 'name') table = asText(token.value);
      else if (!isWord(token, 'INTO', 'IGNORE', 'DELAYED', 'LOW_PRIORITY')) break;
    } else {
      return { does: 'insert', table, namesColumns: isSymbol(token, '(') };
    }
  }
  return { does: 'other', word: 'INSERT' };
}

function create(words: Iterable<Token>): Statement | undefined {
  let what: string | undefined;
  let isPlaceholder = true;
  for (const token of words) {
    if (what === undefined) {
      if (isWord(token, 'ALGORITHM', 'DEFINER')) isPlaceholder = false;
      if (token.kind === 'word' && objects.has(token.value.toUpperCase())) what = token.value.toLowerCase();
    } else if (what === 'package' && isWord(token, 'BODY')) {
      what = 'package body';
    } else if (token.kind !== 'symbol' && !isWord(token, 'IF', 'NOT', 'EXISTS')) {
      return named(what, asText(token.value), isPlaceholder);
    }
  }
  return undefined;
}

function named(what: string, name: string, isPlaceholder: boolean): Statement {
  if (what === 'view' && isPlaceholder) return { does: 'create', what: 'placeholder', name };
  return { does: 'create', what: what as 'table' | 'sequence' | CodeKind, name };
}
