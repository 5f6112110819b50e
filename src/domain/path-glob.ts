/**
 * Whether a path pattern means this path: `*` and `?` stand for anything but a slash, `**` for any number of folders,
 * `[ab]` and `{a,b}` for one of them. A leading dot is a character like any other: what is hidden is somebody's data too.
 */
export function matchesPath(path: string, pattern: string): boolean {
  return expressionOf(pattern).test(path);
}

const known = new Map<string, RegExp>();

function expressionOf(pattern: string): RegExp {
  const before = known.get(pattern);
  if (before) return before;
  const expression = new RegExp(`^${translated(pattern)}$`, 'su');
  known.set(pattern, expression);
  return expression;
}

const piece = /\*\*\/|\*\*|\*|\?|\[!?[^\]]+\]|\\.|[{},]|./gsu;

function translated(pattern: string): string {
  let depth = 0;
  return [...pattern.matchAll(piece)]
    .map(([token]) => {
      if (token === '**/') return '(?:[^/]+/)*';
      if (token === '**') return '.*';
      if (token === '*') return '[^/]*';
      if (token === '?') return '[^/]';
      if (token.startsWith('[') && token.length > 2) return classOf(token);
      if (token === '{') depth += 1;
      if (token === '{') return '(?:';
      if (token === '}' && depth > 0) {
        depth -= 1;
        return ')';
      }
      if (token === ',' && depth > 0) return '|';
      return escaped(token.length > 1 && token.startsWith('\\') ? token.slice(1) : token);
    })
    .join('');
}

function classOf(token: string): string {
  const isNegated = token.startsWith('[!');
  const members = token.slice(isNegated ? 2 : 1, -1).replace(/[\\^[\]&]/g, '\\$&');
  return `(?!/)[${isNegated ? '^' : ''}${members}]`;
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');
}
