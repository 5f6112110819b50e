import { posix } from 'node:path';
import { LifeboatError } from '../../domain/errors.ts';
import type { Command, Finished } from '../../domain/shell.ts';
import type { Location } from '../location.ts';

/** The programs of src/inside, as our image has them. */
const program = '/opt/lifeboat/inside.js';

export type MountLocation = Extract<Location, { kind: 'mount' }>;

/** As in sysexits.h. */
export const exitCodes = { badData: 65, noRoom: 73 } as const;

/** What reading anybody's files takes, and nothing that could change one. */
const readRights = ['DAC_READ_SEARCH'];
const writeRights = ['CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'SETFCAP'];

const mountPoint = '/folder';

/** Where the folder is in a helper that mounts what it lies in. */
function insideHelper({ inside }: MountLocation): string {
  return posix.join(mountPoint, inside);
}

/** A program that needs no folder. */
export function plainCommand(word: string): Command {
  return { argv: ['node', program, word], place: { kind: 'helper', image: 'own' } };
}

/** A program that reads several folders, each where `atOf` says. */
export function readCommand(word: string, request: unknown, locations: readonly MountLocation[]): Command {
  const mounts = locations.map(({ mount }, i) => ({ mount, target: `${mountPoint}${i}`, readOnly: true }));
  return {
    argv: ['node', program, word, JSON.stringify(request)],
    user: '0',
    place: { kind: 'helper', image: 'own', mounts, capabilities: readRights },
  };
}

/** Where `readCommand` mounts the folder with this number. */
export function atOf({ inside }: MountLocation, i: number): string {
  return posix.join(`${mountPoint}${i}`, inside);
}

/** A program that changes one folder. Devices are made only when there are some to make. */
export function writeCommand(word: string, request: object, location: MountLocation, makesDevices = false): Command {
  return {
    argv: ['node', program, word, JSON.stringify({ at: insideHelper(location), ...request })],
    user: '0',
    place: {
      kind: 'helper',
      image: 'own',
      mounts: [{ mount: location.mount, target: mountPoint, readOnly: false }],
      capabilities: makesDevices ? [...writeRights, 'MKNOD'] : writeRights,
    },
  };
}

/** What a program said last. */
export function saidBy({ exitCode, stderr }: Finished): string {
  return stderr.trim().split('\n').slice(-3).join(' | ') || `exit code ${exitCode}`;
}

export function restoreFailed(what: string, finished: Finished): LifeboatError {
  const hint =
    finished.exitCode === exitCodes.noRoom ? 'make room on the disk of that volume and restore again' : undefined;
  return new LifeboatError('RESTORE_FAILED', `${what}: ${saidBy(finished)}`, { hint });
}
