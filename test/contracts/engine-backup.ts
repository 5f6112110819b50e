import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { LifeboatError } from '../../src/domain/errors.ts';
import { type Artifact, Manifest, manifestFormat } from '../../src/domain/manifest.ts';
import { newId } from '../../src/domain/naming.ts';
import type { Shell } from '../../src/domain/shell.ts';
import type {
  Dump,
  Engine,
  Produce,
  Restored,
  RestoreSource,
  ReviewedArtifact,
  Survey,
} from '../../src/engines/engine.ts';

/** A dumped artifact with its bytes, small enough for memory. */
export interface Dumped {
  readonly dump: Dump;
  readonly plain: Buffer;
  readonly artifact: Artifact;
  readonly reviewed: ReviewedArtifact;
}

export async function dumpAll<O>(
  engine: Engine<O>,
  shell: Shell,
  survey: Survey,
  options: O,
  signal: AbortSignal,
): Promise<Dumped[]> {
  const all: Dumped[] = [];
  for await (const dump of engine.dump(shell, survey, options, { counts: 'exact' }, signal)) {
    const { produce } = dump;
    const plain = produce.from === 'text' ? Buffer.from(produce.text) : await bytesOf(shell, produce, signal);
    const proof = await engine.prove(shell, dump, Readable.from([plain]), options, signal);
    dump.proved?.(proof);
    const counts = [...((await dump.counts) ?? []), ...proof.counts];
    const { name, kind, extension, facts } = dump;
    const artifact: Artifact = {
      name,
      kind,
      file: `${name}.${extension}`,
      plainBytes: plain.length,
      storedBytes: plain.length,
      storedSha256: '',
      codecs: [],
      facts: { ...facts },
      counts,
      byHand: engine.byHand(shell.container, dump, options),
    };
    all.push({ dump, plain, artifact, reviewed: { name, kind, extension, facts, plainBytes: plain.length, counts } });
  }
  assert.ok(all.length > 0, 'something was dumped');
  return all;
}

/** The bytes of a command as a run would get them, whatever their number. */
async function bytesOf(shell: Shell, { exec, helper }: Extract<Produce, { from: 'command' }>, signal: AbortSignal) {
  const hasPipes = shell.whyNoPipes() === undefined;
  if (helper) assert.equal(await helper.whyNot?.(signal), undefined);
  if (!helper || !hasPipes) {
    return buffer((await shell.output(helper?.path === 'file' ? helper.command : exec, signal)).stdout);
  }
  await using piped = await shell.pipe(helper.command);
  const { stdout } = spawn('cat', { stdio: [piped.fd, 'pipe', 'inherit'] });
  assert.ok(stdout);
  const [bytes] = await Promise.all([buffer(stdout), piped.run(signal)]);
  return bytes;
}

/** Cut at every kind of place, and one flipped bit: none may pass the prover. */
export async function refusesDamage<O>(
  engine: Engine<O>,
  shell: Shell,
  options: O,
  dumped: readonly Dumped[],
  strictKinds: readonly string[],
): Promise<void> {
  for (const { dump, plain } of dumped) {
    const cuts = [
      0,
      1,
      Math.floor(plain.length * 0.3),
      Math.floor(plain.length * 0.6),
      Math.floor(plain.length * 0.99),
      plain.length - 1,
    ];
    const damages = cuts.map((cut) => ({
      what: `cut at byte ${cut} of ${plain.length}`,
      bytes: plain.subarray(0, cut),
    }));
    for (const { what, bytes } of damages) {
      await assert.rejects(
        engine.prove(shell, dump, Readable.from([bytes]), options, AbortSignal.timeout(60_000)),
        LifeboatError,
        `${dump.kind} ${dump.name} ${what}`,
      );
    }
    if (!strictKinds.includes(dump.kind)) continue;
    const flipped = Buffer.from(plain);
    flipped[Math.floor(plain.length / 2)] = (flipped[Math.floor(plain.length / 2)] ?? 0) ^ 1;
    await assert.rejects(
      engine.prove(shell, dump, Readable.from([flipped]), options, AbortSignal.timeout(60_000)),
      LifeboatError,
      `${dump.name} with one flipped bit`,
    );
  }
}

export async function restoreInto<O>(
  engine: Engine<O>,
  shell: Shell,
  manifest: Manifest,
  dumped: readonly Dumped[],
  options: O,
  signal: AbortSignal,
): Promise<Restored> {
  const target = { suffix: 'test00' };
  const preview = await engine.preview(shell, manifest, target, options, signal);
  assert.deepEqual(preview.refusals, []);
  const from: RestoreSource = { manifest, open: async (artifact) => Readable.from([plainOf(dumped, artifact)]) };
  const restored = await engine.restore(shell, from, target, options, silent, signal);
  assert.ok(restored.checks.length > 0, 'the restore compared something with the manifest');
  return restored;
}

export const silent = { staging: () => {}, checking: () => {}, switching: async () => {} };

export function plainOf(dumped: readonly Dumped[], artifact: Artifact): Buffer {
  const found = dumped.find(({ dump }) => dump.name === artifact.name && dump.kind === artifact.kind);
  assert.ok(found, `artifact ${artifact.name}`);
  return found.plain;
}

/** Two thirds of the bytes, then an error, as a store that breaks gives them. */
export function breakingOff(plain: Buffer): Readable {
  async function* bytes() {
    yield plain.subarray(0, Math.floor((plain.length * 2) / 3));
    throw new LifeboatError('STORE_UNAVAILABLE', 'the connection broke');
  }
  return Readable.from(bytes(), { objectMode: false });
}

/** The manifest of a backup, as a run without codecs and stores would write it. */
export function manifestOf(
  engine: Pick<Engine<never>, 'name'>,
  shell: Shell,
  survey: Survey,
  artifacts: readonly Artifact[],
  more: Partial<Manifest> = {},
): Manifest {
  const now = new Date();
  const { id, name, number, image, imageId } = shell.container;
  return Manifest.parse({
    format: manifestFormat,
    id: newId(now),
    set: newId(now),
    stack: 'test',
    service: name,
    source: engine.name,
    engine: engine.name,
    lifeboat: '0',
    trigger: 'manual',
    startedAt: now.toISOString(),
    finishedAt: now.toISOString(),
    server: { product: survey.product, version: survey.version, identity: survey.identity },
    container: { id, name, number, image, imageId },
    tool: survey.tool,
    path: { taken: 'exec', why: 'test' },
    consistency: survey.consistency,
    options: {},
    artifacts,
    seals: [],
    warnings: [],
    ...more,
  });
}

export const artifactsOf = (dumped: readonly Dumped[]) => dumped.map(({ artifact }) => artifact);
