import type { Readable } from 'node:stream';
import { LifeboatError } from '../../domain/errors.ts';
import type { Command, Finished, Shell } from '../../domain/shell.ts';
import type { Unpacked, WorkState } from '../../domain/tree-report.ts';
import type { TreeRules } from '../../domain/tree-rules.ts';
import type { FolderFacts } from './facts.ts';
import { exitCodes, restoreFailed, saidBy, writeCommand } from './inside.ts';
import { locationOf } from './preview.ts';

/** A folder that a restore works on, step by step; each is a program in a helper that mounts nothing else. */
export interface Place {
  readonly path: string;
  /** Unpacks beside the live tree and compares. Live data is as it was, whatever happens here. */
  stage(archive: Readable, bytes: number, makesDevices: boolean, signal: AbortSignal): Promise<Unpacked>;
  /** Puts the staged tree in the place of the live one. Nobody may use it. */
  switchOver(rules: TreeRules, signal: AbortSignal): Promise<void>;
  state(): Promise<WorkState>;
  /** Undoes as much of the switch as was done; the staged tree is there again then. Nobody may use it. */
  putBack(): Promise<void>;
  /** Removes what this restore left, the staged tree or the one from before. */
  discard(): Promise<void>;
  /** The same of every restore. */
  discardAll(): Promise<void>;
}

export function placeOf(shell: Shell, facts: FolderFacts, suffix: string): Place {
  const { path } = facts;
  const location = locationOf(shell.container, facts);
  if (!location) {
    throw new LifeboatError(
      'RESTORE_REFUSED',
      `${path} is in no volume or bind mount of ${shell.container.service} now`,
      {
        hint: 'mount a volume there again, then restore',
      },
    );
  }
  const command = (word: string, request: object = {}, makesDevices = false) =>
    writeCommand(word, { suffix, ...request }, location, makesDevices);
  const run = async (what: string, asked: Command, signal?: AbortSignal): Promise<Finished> => {
    const finished = await shell.run(asked, undefined, signal);
    if (finished.exitCode !== 0) throw restoreFailed(what, finished);
    return finished;
  };
  return {
    path,
    stage: async (archive, bytes, makesDevices, signal) => {
      const finished = await shell.run(command('unpack', { bytes }, makesDevices), archive, signal);
      if (finished.exitCode === exitCodes.badData) {
        throw new LifeboatError('ARTIFACT_CORRUPT', `the archive of ${path} was refused: ${saidBy(finished)}`, {
          hint: 'the live files were not touched; take another backup: lifeboat list shows them',
        });
      }
      if (finished.exitCode !== 0) throw restoreFailed(`${path} could not be staged`, finished);
      return JSON.parse(finished.stdout) as Unpacked;
    },
    switchOver: async (rules, signal) =>
      void (await run(`${path} could not be replaced`, command('switch', { rules }), signal)),
    state: async () => (await run(`${path} could not be looked at`, command('state'))).stdout as WorkState,
    putBack: async () => void (await run(`the former files of ${path} could not be put back`, command('put-back'))),
    discard: async () => void (await run(`what a restore left in ${path} could not be removed`, command('discard'))),
    discardAll: async () =>
      void (await run(`what restores left in ${path} could not be removed`, command('discard-all'))),
  };
}
