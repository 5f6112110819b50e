import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import { type Place, promptMs, type Shell } from '../../domain/shell.ts';

/** The programs of an image. */
export interface Tools {
  readonly dump: string;
  readonly client: string;
  /** `mysqldump` may be MariaDB's under another name: its own words tell. */
  readonly product: 'MySQL' | 'MariaDB';
  readonly version: string;
}

const script = `first() { for t; do command -v "$t" >/dev/null 2>&1 && { echo "$t"; return; }; done; echo; }
d=$(first mariadb-dump mysqldump); c=$(first mariadb mysql)
echo "$d"; echo "$c"; [ -z "$d" ] || "$d" --version`;

/** Looks into the image for the programs; MariaDB's newer images no longer have the `mysql…` names. */
export async function findTools(
  shell: Shell,
  place: Place,
  toolsImage: string | undefined,
  signal: AbortSignal,
): Promise<Tools> {
  const command = { argv: ['sh', '-c', script] as const, place, env: { LC_ALL: 'C' }, timeoutMs: promptMs };
  const printed = await shell.text(command, signal).catch((error: unknown) => {
    if (!isLifeboatError(error, 'TOOL_MISSING', 'COMMAND_FAILED')) throw error;
    throw toolMissing(shell, toolsImage, 'mysqldump', error);
  });
  const [dump = '', client = '', ...about] = printed.split('\n');
  if (dump === '') throw toolMissing(shell, toolsImage, 'mariadb-dump or mysqldump');
  if (client === '') throw toolMissing(shell, toolsImage, 'mariadb or mysql');
  const words = about.join(' ');
  return { dump, client, product: /mariadb/i.test(words) ? 'MariaDB' : 'MySQL', version: toolVersion(words) };
}

/** `mysqldump  Ver 9.7.4 …` and `Ver 10.19 Distrib 10.11.18-MariaDB, …` and `mariadb-dump from 11.8.6-MariaDB, …`. */
export function toolVersion(words: string): string {
  const found = /(?:from|Distrib) (\d[\d.]*)/.exec(words) ?? /Ver (\d[\d.]*)/.exec(words);
  return found?.[1] ?? words.trim();
}

/** True when the version is at least the given one, compared number by number. */
export function isAtLeast(version: string, ...wanted: readonly number[]): boolean {
  const parts = version.split(/\D+/).map(Number);
  for (const [index, want] of wanted.entries()) {
    const part = parts[index] ?? 0;
    if (part !== want) return part > want;
  }
  return true;
}

function toolMissing(shell: Shell, toolsImage: string | undefined, tool: string, cause?: unknown): LifeboatError {
  return new LifeboatError('TOOL_MISSING', `image ${toolsImage ?? shell.container.image} has no ${tool}`, {
    hint: "name an image that has it, of the server's own product, e.g. the label lifeboat.mysql.tools-image: mariadb:11.8",
    cause,
  });
}
