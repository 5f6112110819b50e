import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { type ErrorCode, isLifeboatError } from '../../../src/domain/errors.ts';
import type { Manifest } from '../../../src/domain/manifest.ts';
import type { Command } from '../../../src/domain/shell.ts';
import type { Dump, RestoreSteps } from '../../../src/engines/engine.ts';
import { redis } from '../../../src/engines/redis/index.ts';
import { RedisOptions } from '../../../src/engines/redis/options.ts';
import { manifestOf } from '../../contracts/engine-backup.ts';
import { type ContainerOptions, docker, shellOf, startContainer } from '../../support/testbed.ts';
import { type Cli, ready, redisCli } from './data.ts';

export const signal = () => AbortSignal.timeout(120_000);
export const plainOptions = RedisOptions.parse({});
export const quiet: RestoreSteps = { staging: () => {}, checking: () => {}, switching: async () => {} };
export const isError =
  (code: ErrorCode, message = /./) =>
  (error: unknown) =>
    isLifeboatError(error, code) && message.test(error.message);

/** A container with a server that takes commands. */
export async function serverOf(image: string, options: ContainerOptions = {}, as: Cli = redisCli) {
  const container = await startContainer(image, options);
  await ready(container.name, as);
  return container;
}

export interface BackUp {
  readonly dump: Dump;
  readonly plain: Buffer;
  readonly manifest: Manifest;
}

/** The way of a backup without codecs and stores. */
export async function backUp(id: string, options: RedisOptions = plainOptions): Promise<BackUp> {
  const shell = await shellOf(id);
  const survey = await redis.survey(shell, options, signal());
  let found: { dump: Dump; plain: Buffer } | undefined;
  for await (const dump of redis.dump(shell, survey, options, { counts: 'auto' }, signal())) {
    assert.equal(dump.produce.from, 'command');
    const plain = await buffer((await shell.output((dump.produce as { exec: Command }).exec, signal())).stdout);
    found = { dump, plain };
  }
  assert.ok(found);
  const { dump, plain } = found;
  const proof = await redis.prove(shell, dump, Readable.from([plain]), options, signal());
  const { name, kind, extension, facts } = dump;
  const artifact = {
    ...{ name, kind, file: 'dump.rdb', plainBytes: plain.length, storedBytes: plain.length, storedSha256: '' },
    ...{ codecs: [], facts: { ...facts }, counts: [...((await dump.counts) ?? []), ...proof.counts] },
    byHand: redis.byHand(shell.container, dump, options),
  };
  const review = await redis.review(shell, survey, [{ ...artifact, extension }], options, signal());
  const manifest = manifestOf(redis, shell, survey, [artifact], {
    seals: [{ seal: 'structure', proof: proof.method }],
    warnings: [...survey.warnings, ...review.warnings],
  });
  return { dump, plain, manifest };
}

export async function restoreFrom(id: string, { manifest, plain }: BackUp, steps = quiet, suffix = 'test02') {
  const source = { manifest, open: async () => Readable.from([plain]) };
  return redis.restore(await shellOf(id), source, { suffix }, plainOptions, steps, signal());
}

export async function previewOf(id: string, { manifest }: BackUp) {
  return redis.preview(await shellOf(id), manifest, { suffix: 'x' }, plainOptions, signal());
}

export const shown = (name: string, ...argv: string[]) => docker('exec', name, ...argv);

/** Types the line of the manifest. */
export async function byLine({ manifest, plain }: BackUp): Promise<void> {
  const child = spawn('sh', ['-c', manifest.artifacts[0]?.byHand ?? ''], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(plain);
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0);
}
