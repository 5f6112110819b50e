import { spawn } from 'node:child_process';
import { stripVTControlCharacters } from 'node:util';
import { eventually } from './testbed.ts';

/** A command on a terminal of its own, and somebody who reads and types. */
export interface Terminal {
  /** Everything shown so far, without control characters. */
  screen(): string;
  /** Resolves when this is shown. */
  shows(pattern: RegExp): Promise<void>;
  type(text: string): void;
  readonly ended: Promise<number>;
}

export function openTerminal(argv: readonly string[], env: NodeJS.ProcessEnv = process.env): Terminal {
  // A terminal that nobody gave a size has none, and what draws on it breaks every line.
  const words = argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`);
  const line = `stty cols 120 rows 40; exec ${words.join(' ')}`;
  const child = spawn('script', ['-qfec', line, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const screen = () => stripVTControlCharacters(text);
  return {
    screen,
    shows: (pattern) =>
      eventually(async () => {
        if (!pattern.test(screen())) throw new Error(`${pattern} is not shown:\n${screen()}`);
      }, 60_000),
    type: (typed) => void child.stdin.write(typed),
    ended: new Promise((resolve) => child.on('close', (code) => resolve(code ?? -1))),
  };
}
