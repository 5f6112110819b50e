/** A quoted name that means exactly this one. */
export function identifier(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``;
}

/** `database`.`object` */
export function qualified(database: string, name: string): string {
  return `${identifier(database)}.${identifier(name)}`;
}

/** A string literal with exactly this value; our sessions run with an empty SQL mode, where backslashes escape. */
export function literal(value: string): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll("'", "\\'").replaceAll('\0', '\\0').replaceAll('\n', '\\n');
  return `'${escaped}'`;
}

/** `user`@`host` as a statement names an account. */
export function accountName(user: string, host: string): string {
  return `${identifier(user)}@${identifier(host)}`;
}

/** A word of the server's own, such as a character set; anything else is refused. */
export function plainWord(word: string): string {
  if (!/^\w+$/.test(word)) throw new Error(`"${word.slice(0, 40)}" is no name of a character set or collation`);
  return word;
}
