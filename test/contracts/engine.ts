import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { LifeboatError } from '../../src/domain/errors.ts';
import { type Artifact, Manifest, manifestFormat } from '../../src/domain/manifest.ts';
import { newId } from '../../src/domain/naming.ts';
import type { Shell } from '../../src/domain/shell.ts';
import type { Dump, Engine, RestoreSource, ReviewedArtifact, Survey } from '../../src/engines/engine.ts';
import { type ContainerOptions, dockerWithInput, nastyPassword, shellOf, startContainer } from '../support/testbed.ts';

export interface EngineCase<O> {
  readonly engine: Engine<O>;
  /** Official image name. */
  readonly image: string;
  /** Options as they come from labels, already split; `{}` for none. */
  readonly options?: O;
  /** How the container is started; it must use the given password where the image takes one. */
  container(password: string): ContainerOptions;
  /** Resolves when the server takes logins. */
  ready(name: string): Promise<void>;
  /** Fills it with everything the engine promises to keep. */
  seed(name: string): Promise<void>;
  /** Everything the engine promises to keep, as text; equal text means equal data. */
  fingerprint(name: string): Promise<string>;
  /** Makes the live data differ from what was seeded, so that a restore that does nothing is noticed. */
  damage(name: string): Promise<void>;
  /** Artifact kinds whose damage at any byte must be noticed by the prover. */
  readonly strictKinds: readonly string[];
  /** Reads the data of a restore by hand (by `byHand`) of this artifact; undefined when the fingerprint is not comparable. */
  byHandFingerprint?(name: string, artifact: string): Promise<string>;
}

/** A dumped artifact with its bytes, small enough for memory. */
interface Dumped {
  readonly dump: Dump;
  readonly plain: Buffer;
  readonly artifact: Artifact;
  readonly reviewed: ReviewedArtifact;
}

/**
 * What every engine promises, checked on a real server of a real image: recognised without labels, a nasty password works
 * and leaks nowhere, a dump is proved, damage at any place is refused, and a restore into a fresh server gives back
 * everything.
 */
export function testEngine<O>(name: string, test: EngineCase<O>): void {
  const { engine } = test;
  const options = test.options ?? engine.options.parse({});
  const signal = () => AbortSignal.timeout(120_000);
  const start = async () => {
    const container = await startContainer(test.image, test.container(nastyPassword));
    await test.ready(container.name);
    return container;
  };

  describe(`engine contract: ${name}`, { concurrency: false }, () => {
    it('refuses unknown options', () => {
      assert.equal(engine.options.safeParse({ 'no-such-option': 'x' }).success, false);
    });

    it('gives back everything in a fresh server, and refuses damaged dumps', async () => {
      let dumped: Dumped[];
      let before: string;
      let survey: Survey;
      {
        await using source = await start();
        await test.seed(source.name);
        before = await test.fingerprint(source.name);
        const shell = await shellOf(source.id);
        assert.ok(engine.recognise(shell.container), 'recognised without a label');
        await using leaks = await watchEvents();
        survey = await engine.survey(shell, options, signal());
        assert.notEqual(survey.identity, '');
        dumped = await dumpAll(engine, shell, survey, options, signal());
        await engine.review(
          shell,
          survey,
          dumped.map(({ reviewed }) => reviewed),
          options,
          signal(),
        );
        const manifest = manifestOf(engine, shell, survey, dumped);
        assert.ok(!JSON.stringify(manifest).includes(nastyPassword.slice(0, 8)), 'no secret in the manifest');
        assert.ok(!(await leaks.text()).includes('p w"'), 'no secret in the events of the Engine');

        await refusesDamage(engine, shell, options, dumped, test.strictKinds);
        assert.equal(await test.fingerprint(source.name), before, 'the source is as it was');

        // In place, over live data that has changed since.
        await test.damage(source.name);
        assert.notEqual(await test.fingerprint(source.name), before);
        await restoreInto(engine, await shellOf(source.id), manifest, dumped, options, signal());
        await test.ready(source.name);
        assert.equal(await test.fingerprint(source.name), before, 'restored over changed data');
      }
      await using fresh = await start();
      const shell = await shellOf(fresh.id);
      await restoreInto(engine, shell, manifestOf(engine, shell, survey, dumped), dumped, options, signal());
      await test.ready(fresh.name);
      assert.equal(await test.fingerprint(fresh.name), before, 'restored into a fresh server');
    });

    it('leaves the live data alone when the bytes of a restore break off', async () => {
      await using source = await start();
      await test.seed(source.name);
      const shell = await shellOf(source.id);
      const survey = await engine.survey(shell, options, signal());
      const dumped = await dumpAll(engine, shell, survey, options, signal());
      await test.damage(source.name);
      const changed = await test.fingerprint(source.name);
      const broken: RestoreSource = {
        manifest: manifestOf(engine, shell, survey, dumped),
        open: async (artifact) => breakingOff(plainOf(dumped, artifact)),
      };
      await assert.rejects(
        engine.restore(await shellOf(source.id), broken, { suffix: 'test01' }, options, silent, signal()),
      );
      await test.ready(source.name);
      assert.equal(await test.fingerprint(source.name), changed);
    });

    if (test.byHandFingerprint) {
      const byHandFingerprint = test.byHandFingerprint.bind(test);
      it('is restored by the line in the manifest alone', async () => {
        await using source = await start();
        await test.seed(source.name);
        const shell = await shellOf(source.id);
        const survey = await engine.survey(shell, options, signal());
        for (const { dump, plain } of await dumpAll(engine, shell, survey, options, signal())) {
          const expected = await byHandFingerprint(source.name, dump.name);
          await runLine(engine.byHand(shell.container, dump, options), plain);
          assert.equal(await byHandFingerprint(source.name, dump.name), expected);
        }
      });
    }
  });
}

async function dumpAll<O>(
  engine: Engine<O>,
  shell: Shell,
  survey: Survey,
  options: O,
  signal: AbortSignal,
): Promise<Dumped[]> {
  const all: Dumped[] = [];
  for await (const dump of engine.dump(shell, survey, options, { counts: 'exact' }, signal)) {
    const { produce } = dump;
    const plain =
      produce.from === 'text'
        ? Buffer.from(produce.text)
        : await buffer((await shell.output(produce.helper?.command ?? produce.exec, signal)).stdout);
    const proof = await engine.prove(shell, dump, Readable.from([plain]), options, signal);
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

/** Cut at every kind of place, and one flipped bit: none may pass the prover. */
async function refusesDamage<O>(
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

async function restoreInto<O>(
  engine: Engine<O>,
  shell: Shell,
  manifest: Manifest,
  dumped: readonly Dumped[],
  options: O,
  signal: AbortSignal,
): Promise<void> {
  const target = { suffix: 'test00' };
  const preview = await engine.preview(shell, manifest, target, options, signal);
  assert.deepEqual(preview.refusals, []);
  const from: RestoreSource = { manifest, open: async (artifact) => Readable.from([plainOf(dumped, artifact)]) };
  const restored = await engine.restore(shell, from, target, options, silent, signal);
  assert.ok(restored.checks.length > 0, 'the restore compared something with the manifest');
}

const silent = { staging: () => {}, checking: () => {}, switching: async () => {} };

function plainOf(dumped: readonly Dumped[], artifact: Artifact): Buffer {
  const found = dumped.find(({ dump }) => dump.name === artifact.name && dump.kind === artifact.kind);
  assert.ok(found, `artifact ${artifact.name}`);
  return found.plain;
}

/** Two thirds of the bytes, then an error, as a store that breaks gives them. */
function breakingOff(plain: Buffer): Readable {
  async function* bytes() {
    yield plain.subarray(0, Math.floor((plain.length * 2) / 3));
    throw new LifeboatError('STORE_UNAVAILABLE', 'the connection broke');
  }
  return Readable.from(bytes(), { objectMode: false });
}

function manifestOf<O>(engine: Engine<O>, shell: Shell, survey: Survey, dumped: readonly Dumped[]): Manifest {
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
    artifacts: dumped.map(({ artifact }) => artifact),
    seals: [],
    warnings: [],
  });
}

/** Everything the Engine tells its listeners while this is open. */
async function watchEvents(): Promise<AsyncDisposable & { text(): Promise<string> }> {
  const child = spawn('docker', ['events', '--format', '{{json .}}'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let seen = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    seen += chunk;
  });
  await new Promise((resolve) => setTimeout(resolve, 300));
  return {
    text: async () => {
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.ok(seen.length > 0, 'events were seen at all');
      return seen;
    },
    [Symbol.asyncDispose]: async () => {
      child.kill();
    },
  };
}

/** Runs the line a person would type, with the plain bytes on its standard input. */
async function runLine(line: string, plain: Buffer): Promise<void> {
  const words = ['sh', '-c', line];
  await new Promise<void>((resolve, reject) => {
    const child = spawn(words[0] as string, words.slice(1), { stdio: ['pipe', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.resume();
    child.stderr.on('data', (chunk) => {
      said += chunk;
    });
    child.on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${line}: exit code ${code}: ${said}`))));
    child.stdin.on('error', () => {});
    child.stdin.end(plain);
  });
}

/** For cases: SQL through a client inside the container. */
export { dockerWithInput };
