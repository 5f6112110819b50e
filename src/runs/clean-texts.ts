/** Fields that hold sentences; names, ids and codes stay as they are, or nothing would be found by them again. */
const sentences = new Set(['message', 'hint', 'detail', 'why', 'warnings', 'refusals', 'lines', 'checks', 'kept']);

/** The same value with every sentence in it cleaned, however deep. */
export function cleanTexts<T>(value: T, clean: (text: string) => string): T {
  return cleaned(value, clean, false) as T;
}

// --- utils ---

function cleaned(value: unknown, clean: (text: string) => string, isSentence: boolean): unknown {
  if (typeof value === 'string') return isSentence ? clean(value) : value;
  if (Array.isArray(value)) return value.map((item: unknown) => cleaned(item, clean, isSentence));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, cleaned(item, clean, sentences.has(key))]),
  );
}
