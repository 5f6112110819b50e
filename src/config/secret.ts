import { inspect } from 'node:util';
import { redacted } from '../domain/redact.ts';
import { type Origin, originText } from './origin.ts';

/**
 * A secret that cannot be printed by accident: as text, in JSON, in a template, in `util.inspect` and in an error it is
 * `[redacted]`. Only `reveal()` gives it out; whoever calls that keeps it out of argv, logs and messages.
 */
export class Secret {
  readonly #text: string;
  readonly #origin: Origin;

  constructor(text: string, origin: Origin) {
    this.#text = text;
    this.#origin = origin;
  }

  reveal(): string {
    return this.#text;
  }

  /** For `config show`: `•••• (12 characters, from /run/secrets/x)`. */
  describe(): string {
    const origin = this.#origin;
    const from = origin.from === 'environment' && origin.file !== undefined ? origin.file : originText(origin);
    return `•••• (${this.#text.length} characters, from ${from})`;
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}

/** Whether a key, by its last word, holds a secret itself (`postgres.password`, not `postgres.password-env`). */
export function isSecretName(key: string): boolean {
  return /(^|[._-])(password|passwd|passphrase|token|secret|access-key|api-key|private-key|credentials?)$/.test(
    key.toLowerCase().replaceAll('_', '-'),
  );
}
