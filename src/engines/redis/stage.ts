import { randomBytes } from 'node:crypto';
import { Readable } from 'node:stream';
import { untouchedHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/manifest.ts';
import type { Place, Shell } from '../../domain/shell.ts';
import type { RestoreSource } from '../engine.ts';
import type { RdbFacts } from './facts.ts';
import { moduleArguments } from './modules.ts';
import { type CheckedRdb, RdbCheck } from './rdb/check.ts';
import { exitMeanings, stageScript } from './scripts.ts';
import type { Layout } from './server.ts';

/** Where and how a backup is loaded for the first time. */
export interface Staging {
  readonly place: Place;
  /** Folder, as the place sees it, that takes the RDB and, when wanted, the AOF made of it. */
  readonly folder: string;
  /** Whether the folder must be made; one that is there proves that the place sees what the container sees. */
  readonly isNew: boolean;
  readonly wantsAof: boolean;
  /** Client and server programs, as the image has them. */
  readonly client: string;
  readonly layout: Layout;
}

/** What was found in the file, and in a server that loaded it. */
export interface Staged {
  readonly rdb: CheckedRdb;
  /** Answers to INFO, FUNCTION STATS, and the sizes of graphs. */
  readonly report: readonly [info: string, functions: string, graphs: string];
}

const mebibyte = 1024 ** 2;

/**
 * Sends the plain bytes into a helper that writes them and loads them with a server of the same image and modules. The
 * check of our own sees the same bytes on their way. Rejects RESTORE_FAILED, or with what broke the source.
 */
export async function stage(
  shell: Shell,
  from: RestoreSource,
  artifact: Artifact,
  facts: RdbFacts,
  staging: Staging,
  signal: AbortSignal,
): Promise<Staged> {
  const { folder, layout, wantsAof, isNew, client, place } = staging;
  const mark = randomBytes(12).toString('hex');
  const space = artifact.plainBytes * (wantsAof ? 2.2 : 1.1) + mebibyte;
  const argv = [
    ...[layout.umask, folder, isNew ? 'yes' : 'no', String(artifact.plainBytes)],
    ...[kibibytes(space), kibibytes(facts.usedBytes ?? 0), wantsAof ? 'yes' : 'no'],
    ...[layout.modules.some(({ name }) => name === 'graph') ? 'yes' : 'no', mark, client],
    ...serverCommand(layout, folder),
  ];
  const check = new RdbCheck();
  const plain = checking(await from.open(artifact, signal), check);
  const command = { argv: ['sh', '-c', stageScript, 'sh', ...argv], user: layout.owner, place } as const;
  const { exitCode, stdout, stderr } = await shell.run(command, plain, signal);
  if (exitCode !== 0) throw stageFailed(shell, exitCode, stderr);
  const [info = '', functions = '', graphs = ''] = stdout.split(`${mark}\n`);
  return { rdb: check.end(), report: [info, functions, graphs] };
}

/** Memory for a server that holds the data once and writes an AOF of it. */
export function loadingMemory(facts: RdbFacts): number {
  return Math.max(1024 * mebibyte, 256 * mebibyte + 2 * (facts.usedBytes ?? 0));
}

/** A server nobody can reach: no port, no login, a socket in the helper's own /tmp. It saves nothing by itself. */
function serverCommand(layout: Layout, folder: string): readonly string[] {
  const { program, appendFile, appendFolder, databases, modules } = layout;
  return [
    ...[program, '--port', '0', '--unixsocket', '/tmp/lifeboat.sock', '--daemonize', 'no', '--save', ''],
    ...['--dir', folder, '--dbfilename', 'dump.rdb', '--databases', String(databases)],
    ...['--appendonly', 'no', '--appendfilename', appendFile],
    ...(appendFolder === '' ? [] : ['--appenddirname', appendFolder]),
    ...moduleArguments(modules),
  ];
}

function checking(plain: Readable, check: RdbCheck): Readable {
  async function* checked() {
    for await (const chunk of plain as AsyncIterable<Buffer>) {
      check.take(chunk);
      yield chunk;
    }
  }
  return Readable.from(checked(), { objectMode: false });
}

function stageFailed(shell: Shell, exitCode: number, stderr: string): LifeboatError {
  const why = exitMeanings[exitCode] ?? `exit code ${exitCode}`;
  const said = stderr.split('\n').filter((line) => / # |error|cannot|denied|no space/i.test(line));
  const detail = said
    .slice(-3)
    .map((line) => line.replace(/^\d+:\w \d+ \w+ \d+ [\d:.]+ [#*-] /, '').trim())
    .join(' | ');
  const { name } = shell.container;
  return new LifeboatError('RESTORE_FAILED', `the backup could not be staged: ${why}${detail ? `: ${detail}` : ''}`, {
    hint:
      exitCode === 77
        ? `nothing was touched; docker stop ${name}, restore again and start it: its memory is free then`
        : untouchedHint,
  });
}

function kibibytes(bytes: number): string {
  return String(Math.ceil(bytes / 1024));
}
