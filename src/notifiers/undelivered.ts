/**
 * A message that its receiver did not take. Never leaves this folder but as a warning's text; it has neither the address
 * in its message nor a foreign error as its cause, since those may repeat the address.
 */
export class Undelivered extends Error {
  override readonly name = 'Undelivered';
  /**
   * `again`: it may work later · `refused`: this message never will · `gone`: no message ever will, the receiver wants
   * none.
   */
  readonly fate: 'again' | 'refused' | 'gone';
  /** The receiver asks not to be tried earlier than this. */
  readonly retryAfterMs: number | undefined;

  constructor(fate: Undelivered['fate'], message: string, retryAfterMs?: number) {
    super(message);
    this.fate = fate;
    this.retryAfterMs = retryAfterMs;
  }
}
