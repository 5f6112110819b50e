/** An SQL identifier that means exactly this name. */
export function identifier(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** An SQL string literal with exactly this value, whatever `standard_conforming_strings` says. */
export function literal(value: string): string {
  const quoted = value.replaceAll("'", "''");
  return value.includes('\\') ? `E'${quoted.replaceAll('\\', '\\\\')}'` : `'${quoted}'`;
}

/**
 * Splits a script into statements at semicolons outside quotes, comments and dollar quotes. Lines of psql commands
 * (`\restrict …`) are dropped: they are for psql, and nothing of ours runs through psql's own interpreter.
 */
export function splitStatements(script: string): string[] {
  const token =
    /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\/\*[\s\S]*?\*\/|\$([A-Za-z_]*)\$[\s\S]*?\$\1\$|^\\[^\n]*$|;|[^'"$;\\/-]+|[\s\S]/gm;
  const statements: string[] = [];
  let current = '';
  for (const [text] of script.matchAll(token)) {
    if (text === ';') {
      if (current.trim() !== '') statements.push(current.trim());
      current = '';
    } else if (!text.startsWith('--') && !text.startsWith('/*') && !/^\\[a-z]/.test(text)) {
      current += text;
    }
  }
  return statements;
}
