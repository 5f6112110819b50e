import type { Redactor } from '../domain/redact.ts';
import { type Disk, readTextFile } from './disk.ts';
import type { Written } from './layer.ts';
import type { Origin } from './origin.ts';
import { type Problem, problem } from './problems.ts';
import { Secret } from './secret.ts';

/** What reading the configuration needs of the world outside. */
export interface Surroundings {
  readonly disk: Disk;
  /** Learns every secret in the moment it is read. */
  readonly redactor: Redactor;
  /** False for a check of somebody else's configuration (`config check -`): files named there are not ours to read. */
  readonly readsFiles: boolean;
}

/** What a file says, or what is wrong with it. */
export interface FileValue {
  readonly written?: Written;
  readonly problems: readonly Problem[];
}

/** The value in the file that a `…_FILE` variable (or a `…-file` key) names, without one line end at its end. */
export function readValueFile(
  path: string,
  origin: Origin,
  isSecret: boolean,
  { disk, redactor, readsFiles }: Surroundings,
): FileValue {
  if (!readsFiles) return { problems: [] };
  const failed = (message: string): FileValue => ({
    problems: [problem({ severity: 'error', effect: 'cannot-start', origin, message })],
  });
  const file = readTextFile(disk, path);
  if ('why' in file) return failed(`cannot read ${path}: ${file.why}`);
  const text = file.text.replace(/\r?\n$/, '');
  if (isSecret) redactor.add(text);
  if (text.trim() === '') return failed(`${path} is empty`);
  const problems = text === text.trim() ? [] : [whiteSpace(path, origin)];
  return { written: { value: isSecret ? new Secret(text, origin) : text, origin }, problems };
}

/** A secret that was written in place. */
export function secretIn(text: string, origin: Origin, { redactor }: Surroundings): Written {
  redactor.add(text);
  return { value: new Secret(text, origin), origin };
}

// --- utils ---

function whiteSpace(path: string, origin: Origin): Problem {
  return problem({
    severity: 'warning',
    effect: 'ignored',
    origin,
    message: `the value in ${path} begins or ends with white space, which is taken as part of it`,
    hint: 'One line end at the end is removed, nothing else. Write the file with: printf %s',
  });
}
