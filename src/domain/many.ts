/** `1 table`, `2 tables`; for nouns that take an s. */
export function many(count: number, noun: string): string {
  return `${count} ${count === 1 ? noun : `${noun}s`}`;
}
