import type { Readable } from 'node:stream';
import { isLifeboatError } from '../../domain/errors.ts';
import type { Command, Finished, HelperMount, Place, Shell } from '../../domain/shell.ts';
import { scriptEnv } from './script.ts';

/** A fixed script of ours on bytes that may be anybody's, in a helper with nothing but a scratch folder. */
export function benchCommand(
  script: string,
  args: readonly string[],
  scratchBytes: number,
  hasHelper: boolean,
): Command {
  const place: Place = hasHelper ? { kind: 'helper', image: 'own', scratchBytes } : { kind: 'here' };
  return { ...scriptCommand(script, args), place, ...(hasHelper ? { user: '0' } : {}) };
}

/**
 * Runs a script on the bench. Where no helper may be made it runs beside Lifeboat itself; the input is not touched before
 * that is known.
 */
export async function runOnBench(
  shell: Shell,
  script: string,
  args: readonly string[],
  scratchBytes: number,
  input: Readable,
  signal: AbortSignal,
): Promise<Finished> {
  try {
    return await shell.run(benchCommand(script, args, scratchBytes, true), input, signal);
  } catch (error) {
    if (!isHelperRefusal(error)) throw error;
    return shell.run(benchCommand(script, args, scratchBytes, false), input, signal);
  }
}

/**
 * Whether it means that no helper may be made here at all: a proxy forbids it, or our own image is not known. Any other
 * refusal of the Engine is a failure like any other, or a full disk would quietly end in a paused app.
 */
export function isHelperRefusal(error: unknown): boolean {
  return isLifeboatError(error, 'DOCKER_REFUSED') && error.context.status === undefined;
}

/** Found out by making one. */
export async function mayMakeHelpers(shell: Shell, signal: AbortSignal): Promise<boolean> {
  try {
    await shell.run({ argv: ['true'], place: { kind: 'helper', image: 'own' } }, undefined, signal);
    return true;
  } catch (error) {
    if (!isHelperRefusal(error)) throw error;
    return false;
  }
}

/** A fixed script of ours in a helper that mounts what the app mounts, as this user and with these rights only. */
export function mountCommand(
  script: string,
  args: readonly string[],
  mount: HelperMount,
  rights: { readonly user: string; readonly capabilities: readonly string[]; readonly scratchBytes?: number },
): Command {
  const { user, capabilities, scratchBytes } = rights;
  const place: Place = {
    kind: 'helper',
    image: 'own',
    mounts: [mount],
    capabilities,
    ...(scratchBytes === undefined ? {} : { scratchBytes }),
  };
  return { ...scriptCommand(script, args), user, place };
}

export function scriptCommand(script: string, args: readonly string[]): Command {
  return { argv: ['sh', '-c', script, 'sh', ...args], env: scriptEnv };
}

/** A copy, its log, and room for both to grow while we look. */
export function scratchFor(bytes: number): number {
  return Math.ceil(bytes * 1.5) + 16 * 1024 * 1024;
}
