import { StringDecoder } from 'node:string_decoder';

const keptBytes = 64 * 1024;

/** Standard error of a command: the last 64 KiB as text, and each line as it comes. Any amount may flow through. */
export class LineTail {
  readonly #onLine: ((line: string) => void) | undefined;
  readonly #decoder = new StringDecoder('utf8');
  #line = '';
  #tail = '';

  constructor(onLine?: (line: string) => void) {
    this.#onLine = onLine;
  }

  push(bytes: Buffer): void {
    const text = this.#decoder.write(bytes);
    this.#tail = (this.#tail + text).slice(-keptBytes);
    if (!this.#onLine) return;
    const lines = (this.#line + text).split('\n');
    this.#line = (lines.pop() ?? '').slice(-keptBytes);
    for (const line of lines) this.#onLine(line);
  }

  /** Call once at the end: hands over a last line that has no newline. */
  end(): void {
    if (this.#onLine && this.#line !== '') this.#onLine(this.#line);
    this.#line = '';
  }

  get text(): string {
    return this.#tail;
  }
}
