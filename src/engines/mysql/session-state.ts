import { asBytes, isName, isSymbol, isWord, type Token, tokens } from './lexer.ts';
import { identifier } from './sql.ts';

/** Session variables that the server writes into a routine, trigger, event or view when it is made. */
const lasting = ['character_set_client', 'collation_connection', 'sql_mode', 'time_zone'] as const;

/**
 * Follows the SET and ALTER DATABASE statements of a dump, so that each routine, trigger, event and view can be made by
 * itself, in any order and under another database name, with the settings the dump gives it.
 */
export class SessionState {
  readonly #variables = new Map<string, string>();
  readonly #saved = new Map<string, string | undefined>();
  #database: string | undefined;

  /** Takes note of a SET statement (latin1). */
  set(statement: string): void {
    const found = [...tokens(statement)].slice(1);
    if (isWord(found[0], 'NAMES')) this.#names(found.slice(1));
    else for (const assignment of split(found)) this.#assign(assignment);
  }

  /** Takes note of `ALTER DATABASE name CHARACTER SET x COLLATE y`. */
  alterDatabase(statement: string): void {
    const found = [...tokens(statement)];
    this.#database = found
      .slice(3)
      .map(({ value }) => value)
      .join(' ');
  }

  /** The settings that hold now. */
  snapshot(): StatementSettings {
    return { variables: Object.fromEntries(this.#variables), database: this.#database };
  }

  #names(found: readonly Token[]): void {
    const [charset, , collation] = found;
    if (!charset) return;
    this.#variables.set('character_set_client', charset.value);
    if (collation) this.#variables.set('collation_connection', collation.value);
    else this.#variables.delete('collation_connection');
  }

  #assign(assignment: readonly Token[]): void {
    const equals = assignment.findIndex((token) => isSymbol(token, '='));
    const target = nameOf(assignment.slice(0, equals));
    const value = assignment.slice(equals + 1);
    if (equals < 0 || target === undefined || value.length === 0) return;
    if (target.isUser) {
      const source = nameOf(value);
      this.#saved.set(target.name, source?.isSystem ? this.#variables.get(source.name) : undefined);
      return;
    }
    if (!lasting.some((name) => name === target.name)) return;
    const source = nameOf(value);
    const next = source?.isUser ? this.#saved.get(source.name) : render(value);
    if (next === undefined) this.#variables.delete(target.name);
    else this.#variables.set(target.name, next);
  }
}

/** Settings under which one statement is to be run. */
export interface StatementSettings {
  /** By variable, values as SQL writes them. */
  readonly variables: Readonly<Record<string, string>>;
  /** Defaults that the database must have meanwhile, when they are not its own. */
  readonly database: string | undefined;
}

/** SQL (latin1) that makes the settings hold; what a dump leaves to the session is what its header gives all of it. */
export function settingStatements({ variables }: StatementSettings): string {
  const charset = variables.character_set_client ?? 'utf8mb4';
  const others = lasting.slice(1).flatMap((name) => {
    const value = variables[name] ?? (name === 'sql_mode' ? "'NO_AUTO_VALUE_ON_ZERO'" : undefined);
    return value === undefined ? [] : [`SET ${name} = ${value};\n`];
  });
  return `SET NAMES utf8mb4;\nSET character_set_client = ${charset};\n${others.join('')}`;
}

/** SQL (latin1) that gives the database these defaults. */
export function databaseStatement(database: string, defaults: string): string {
  return `ALTER DATABASE ${asBytes(identifier(database))} ${defaults};\n`;
}

function* split(found: readonly Token[]): Generator<Token[]> {
  let current: Token[] = [];
  for (const token of found) {
    if (isSymbol(token, ',')) {
      yield current;
      current = [];
    } else {
      current.push(token);
    }
  }
  yield current;
}

/** `@saved`, `@@sql_mode`, `@@SESSION.sql_mode` or a bare `sql_mode`; undefined for anything else. */
function nameOf(found: readonly Token[]): { name: string; isUser: boolean; isSystem: boolean } | undefined {
  const at = found.filter((token) => isSymbol(token, '@')).length;
  const words = found.filter(isName);
  const last = words.at(-1);
  if (last === undefined || last.kind === 'string') return undefined;
  return { name: last.value.toLowerCase(), isUser: at === 1, isSystem: at === 2 };
}

function render(value: readonly Token[]): string {
  return value
    .map((token) => (token.kind === 'string' ? `'${token.value.replaceAll("'", "''")}'` : token.value))
    .join('');
}
