import { LifeboatError } from '../../domain/errors.ts';
import type { RedisClient } from './client.ts';
import { isWithin } from './place.ts';

/** The server's process: whose it is, and what it sees mounted. Rejects COMMAND_FAILED when it is not there. */
export async function processOf(
  client: RedisClient,
  id: number,
  signal: AbortSignal,
): Promise<{ readonly owner: string; readonly umask: string; readonly mounts: string }> {
  const status = await client.shell.text({ argv: ['cat', `/proc/${id}/status`, '/proc/self/mounts'] }, signal);
  const [, user] = /^Uid:\s+\d+\s+(\d+)/m.exec(status) ?? [];
  const [, group] = /^Gid:\s+\d+\s+(\d+)/m.exec(status) ?? [];
  const [, umask] = /^Umask:\s+(\d+)/m.exec(status) ?? [];
  if (user === undefined || group === undefined) {
    throw new LifeboatError('COMMAND_FAILED', `process ${id} of the server cannot be found in its container`, {
      hint: 'it was restarted just now, or the container shows other processes than its own (pid: host): try again',
    });
  }
  return { owner: `${user}:${group}`, umask: umask ?? '0077', mounts: status };
}

/**
 * The type of the file system a folder is on, from lines of `device target type …`: of the innermost targets above it,
 * the last one is in sight.
 */
export function fileSystemOf(mounts: string, folder: string): string | undefined {
  const lines = [...mounts.matchAll(/^\S+ (\/\S*) (\S+) \S+ \d \d$/gm)];
  const above = lines.filter(([, target = '']) => isWithin(folder, target));
  return above.toSorted(([, a = ''], [, b = '']) => a.length - b.length).at(-1)?.[2];
}
