import type { Command, Shell } from '../domain/shell.ts';

/**
 * Why a helper is of no use: nobody is let in, or on a shared network 127.0.0.1 is another server. The probe prints the
 * identity of what it reaches. Undefined when it is the expected one.
 */
export async function whyNotReached(
  shell: Shell,
  probe: Command,
  identity: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const finished = await shell.run(probe, undefined, signal).catch((error: Error) => {
    signal.throwIfAborted();
    return { exitCode: -1, stdout: '', stderr: error.message };
  });
  if (finished.exitCode !== 0) return `a helper cannot log in: ${firstLine(finished.stderr)}`;
  return finished.stdout.trim() === identity ? undefined : otherServer;
}

export const otherServer = 'a helper on the same network reaches another server';

function firstLine(text: string): string {
  return text.trim().split('\n')[0]?.slice(0, 200) ?? '';
}
