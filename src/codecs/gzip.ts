import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { LifeboatError } from '../domain/errors.ts';
import type { Codec } from './codec.ts';
import { startProcess } from './process.ts';
import { zstdSink } from './sink.ts';

const run = promisify(execFile);

export interface GzipOptions {
  /** 1 (fast) to 9 (small). */
  readonly level?: number;
  /** Where to look for programs; the environment's PATH by default. */
  readonly path?: string | undefined;
}

type Tool = 'igzip' | 'pigz' | 'gzip';

/** igzip's own scale ends at 3; it is ten times as fast as gzip at its lowest levels. */
const igzipLevels = 3;

/** Gzip by the fastest program at hand; any `gunzip` reads the result. */
export async function createGzip({ level = 1, path = process.env.PATH }: GzipOptions = {}): Promise<Codec> {
  if (!Number.isInteger(level) || level < 1 || level > 9) {
    throw new LifeboatError('CONFIG_INVALID', `gzip has no level ${level}`, { hint: 'levels go from 1 to 9' });
  }
  const found = new Set<Tool>();
  for (const tool of ['igzip', 'pigz', 'gzip'] as const) if (await isInPath(tool, path)) found.add(tool);
  const encoders: readonly Tool[] = level <= igzipLevels ? ['igzip', 'pigz', 'gzip'] : ['pigz', 'gzip'];
  // gzip stands in for a missing program so that the error names one that every system has.
  const encoder = encoders.find((tool) => found.has(tool)) ?? 'gzip';
  const decoder = found.has('igzip') ? 'igzip' : 'gzip';
  return {
    name: 'gzip',
    extension: 'gz',
    decodeByHand: 'gzip -dc',
    encode: (signal, input) =>
      startProcess({ argv: [encoder, `-${level}`, '-c'], refusal: 'COMMAND_FAILED', input }, signal),
    decode: (signal) => startProcess({ argv: [decoder, '-d', '-c'], refusal: 'ARTIFACT_CORRUPT' }, signal),
    // No program of gzip's own tells how many bytes it wrote; zstd does, at three times the speed of gzip.
    ...((await zstdReadsGzip(path)) ? { decodeTo: zstdSink } : {}),
  };
}

/** Whether zstd is there and was built with zlib, as every distribution does. */
async function zstdReadsGzip(path: string | undefined): Promise<boolean> {
  if (!(await isInPath('zstd', path))) return false;
  const { stdout, stderr } = await run('zstd', ['-vV']);
  return /supports:.*\bgzip\b/.test(stdout + stderr);
}

async function isInPath(tool: Tool | 'zstd', path: string | undefined): Promise<boolean> {
  for (const folder of path?.split(delimiter) ?? []) {
    const isThere = await access(join(folder, tool), constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return true;
  }
  return false;
}
