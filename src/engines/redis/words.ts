const letters: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** Splits a line as the server splits lines of its configuration: words, "…" with escapes, '…' with \' only. */
export function configWords(line: string): string[] {
  const token = /"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|(\S+)/gs;
  return Array.from(line.matchAll(token), ([, double, single, bare]) => {
    if (double !== undefined) return unescaped(double);
    if (single !== undefined) return single.replaceAll("\\'", "'");
    return bare ?? '';
  });
}

/** A word as `redis-cli` reads it from its input: quoted, with every byte that could mean something escaped. */
export function quotedWord(word: string): string {
  if (/^[\w.:*-]+$/.test(word)) return word;
  const bytes = Array.from(Buffer.from(word), (byte) => `\\x${byte.toString(16).padStart(2, '0')}`);
  return `"${bytes.join('')}"`;
}

/**
 * Splits a shell's command line into words, with variables replaced by their values: enough to find what a
 * `sh -c "redis-server --requirepass $PASSWORD"` gives to the server. Nothing is executed.
 */
export function shellWords(line: string, env: Readonly<Record<string, string>>): string[] {
  const value = (name: string | undefined) => (name === undefined ? '' : (env[name] ?? ''));
  const replaced = (text: string) =>
    text.replace(/\$(?:\{(\w+)\}|(\w+))/g, (_, braced?: string, bare?: string) => value(braced ?? bare));
  const words: string[] = [];
  for (const [word] of line.matchAll(/(?:"(?:[^"\\]|\\.)*"|'[^']*'|\\.|[^\s"'\\;|&])+|[;|&]+/gs)) {
    const parts = word.matchAll(/"((?:[^"\\]|\\.)*)"|'([^']*)'|\\(.)|([^"'\\]+)/gs);
    words.push(
      Array.from(parts, ([, double, single, escaped, bare]) => {
        if (single !== undefined) return single;
        if (escaped !== undefined) return escaped;
        return double === undefined ? replaced(bare ?? '') : replaced(double).replace(/\\(["\\$`])/g, '$1');
      }).join(''),
    );
  }
  return words;
}

function unescaped(text: string): string {
  return text.replace(/\\(?:x([0-9a-fA-F]{2})|(.))/gs, (_, hex?: string, letter?: string) =>
    hex === undefined ? (letters[letter ?? ''] ?? letter ?? '') : String.fromCharCode(Number.parseInt(hex, 16)),
  );
}
