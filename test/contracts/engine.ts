import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { LifeboatError } from '../../src/domain/errors.ts';
import type { Artifact } from '../../src/domain/manifest.ts';
import type { Engine, RestoreSource, Survey } from '../../src/engines/engine.ts';
import { needsRestore } from '../../src/engines/half-done.ts';
import { watchLeaks } from '../support/events.ts';
import { mortal } from '../support/mortal-shell.ts';
import {
  type ContainerOptions,
  docker,
  dockerWithInput,
  everyVersion,
  nastyMark,
  nastyPassword,
  pipeFolder,
  shellOf,
  startContainer,
} from '../support/testbed.ts';
import {
  artifactsOf,
  breakingOff,
  type Dumped,
  dumpAll,
  manifestOf,
  plainOf,
  refusesDamage,
  restoreInto,
  silent,
} from './engine-backup.ts';

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
  /** Options under which nothing of what is restored would be saved. */
  readonly leavingOut?: object;
  /** Dumps come through named pipes wherever the engine offers a helper; else from the container itself. */
  readonly usesPipes?: boolean;
  /** What this artifact holds: in the server it was taken from, or where its line of the manifest puts it. */
  byHandFingerprint(name: string, artifact: string, isRestored: boolean): Promise<string>;
  /** The line as the engine's page tells a person to change it. */
  byHandLine?(line: string): string;
  /** What cannot be put back by lines alone is taken away before the dumps for them are made. */
  beforeByHand?(name: string): Promise<void>;
  /** Artifacts whose lines are to be run once more when everything is there. */
  readonly byHandAgain?: readonly string[];
  /** Variables that the lines take from the shell of the person who types them. */
  readonly byHandEnvironment?: Readonly<Record<string, string>>;
}

/** Engines whose restores are killed in this process already. */
const killedOnce = new Set<string>();

/**
 * What every engine promises, checked on a real server of a real image: recognised without labels, a nasty password works
 * and leaks nowhere, a dump is proved, damage at any place is refused, and a restore into a fresh server gives back
 * everything.
 */
export function testEngine<O>(name: string, test: EngineCase<O>): void {
  const { engine } = test;
  // It takes half a minute each: one way of every engine, unless all are asked for.
  const skipKilling = killedOnce.has(engine.name) && !everyVersion && 'npm run test:all';
  killedOnce.add(engine.name);
  const options = test.options ?? engine.options.parse({});
  const signal = () => AbortSignal.timeout(120_000);
  const start = async (name?: string) => {
    const container = await startContainer(test.image, {
      ...test.container(nastyPassword),
      ...(name === undefined ? {} : { name }),
    });
    await test.ready(container.name);
    return container;
  };

  describe(`engine contract: ${name}`, { concurrency: false }, () => {
    it('refuses unknown options', () => {
      assert.equal(engine.options.safeParse({ 'no-such-option': 'x' }).success, false);
    });

    it('fault 94: gives back everything in a fresh server, refuses damaged dumps, and tells nobody the password', async () => {
      let dumped: Dumped[];
      let before: string;
      let survey: Survey;
      {
        await using source = await start();
        await test.seed(source.name);
        before = await test.fingerprint(source.name);
        await using pipes = test.usesPipes ? await pipeFolder() : undefined;
        const shell = await shellOf(source.id, pipes ? { pipes } : {});
        assert.ok(engine.recognise(shell.container), 'recognised without a label');
        await using leaks = watchLeaks();
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
        const manifest = manifestOf(engine, shell, survey, artifactsOf(dumped));
        assert.ok(!JSON.stringify(manifest).includes(nastyMark), 'no secret in the manifest');
        assert.ok(!(await leaks.text()).includes(nastyMark), 'no secret in the events of the Engine or in a helper');

        await refusesDamage(engine, shell, options, dumped, test.strictKinds);
        assert.equal(await test.fingerprint(source.name), before, 'the source is as it was');

        if (test.leavingOut) {
          const today = engine.options.parse({ ...options, ...test.leavingOut });
          const preview = await engine.preview(shell, manifest, { suffix: 'test00' }, today, signal());
          const saved = await engine.survey(shell, preview.saving as O, signal());
          const names = ({ items }: Survey) => items.map(({ name }) => name);
          assert.deepEqual(names(saved), names(survey), 'what is replaced can be saved before');
        }

        // In place, over live data that has changed since.
        await test.damage(source.name);
        assert.notEqual(await test.fingerprint(source.name), before);
        const { kept } = await restoreInto(engine, await shellOf(source.id), manifest, dumped, options, signal());
        await test.ready(source.name);
        assert.equal(await test.fingerprint(source.name), before, 'restored over changed data');
        for (const line of kept) {
          const command = /; when you no longer need it: (docker .+)$/s.exec(line)?.[1] ?? assert.fail(line);
          await runLine(command, Buffer.alloc(0), test.byHandEnvironment);
          await assert.rejects(
            runLine(command, Buffer.alloc(0), test.byHandEnvironment),
            'there was something to remove',
          );
        }
        assert.equal(await test.fingerprint(source.name), before, 'what was kept is gone, what was restored is not');
      }
      await using fresh = await start();
      const shell = await shellOf(fresh.id);
      await restoreInto(
        engine,
        shell,
        manifestOf(engine, shell, survey, artifactsOf(dumped)),
        dumped,
        options,
        signal(),
      );
      await test.ready(fresh.name);
      assert.equal(await test.fingerprint(fresh.name), before, 'restored into a fresh server');
    });

    if (test.usesPipes) return;

    it('fault 74: leaves the live data alone when the bytes of a restore break off, are missing or are of another kind', async () => {
      await using source = await start();
      await test.seed(source.name);
      const shell = await shellOf(source.id);
      const survey = await engine.survey(shell, options, signal());
      const dumped = await dumpAll(engine, shell, survey, options, signal());
      await test.damage(source.name);
      const changed = await test.fingerprint(source.name);
      const manifest = manifestOf(engine, shell, survey, artifactsOf(dumped));
      const otherKind = Buffer.from('-- a script, but no dump\nSELECT 1;\n');
      for (const bytes of [Buffer.alloc(0), otherKind]) {
        for (const { dump } of dumped) {
          const proof = engine.prove(shell, dump, Readable.from([bytes]), options, signal());
          await assert.rejects(proof, LifeboatError, `${dump.kind} ${dump.name} from ${bytes.length} bytes`);
        }
      }
      const sources: Record<string, (artifact: Artifact) => Readable> = {
        'broken off': (artifact) => breakingOff(plainOf(dumped, artifact)),
        empty: () => Readable.from([Buffer.alloc(0)]),
        'of another kind': () => Readable.from([otherKind]),
      };
      for (const [what, open] of Object.entries(sources)) {
        const from: RestoreSource = { manifest, open: async (artifact) => open(artifact) };
        await assert.rejects(
          engine.restore(await shellOf(source.id), from, { suffix: 'test01' }, options, silent, signal()),
          what,
        );
        await test.ready(source.name);
        assert.equal(await test.fingerprint(source.name), changed, what);
      }
    });

    const killing = 'fault 76: a restore that is killed anywhere in its switch is taken back, or was whole';
    it(killing, { skip: skipKilling }, async () => {
      await using source = await start();
      await test.seed(source.name);
      const wanted = await test.fingerprint(source.name);
      const shell = await shellOf(source.id);
      const dumped = await dumpAll(engine, shell, await engine.survey(shell, options, signal()), options, signal());
      const manifest = manifestOf(engine, shell, await engine.survey(shell, options, signal()), artifactsOf(dumped));
      const from: RestoreSource = { manifest, open: async (artifact) => Readable.from([plainOf(dumped, artifact)]) };
      const itemsNow = async () => {
        const survey = engine.survey(await shellOf(source.id), options, signal());
        return survey.then(({ items }) => items.map(({ name }) => name), String);
      };
      const itemsWanted = await itemsNow();
      await test.damage(source.name);
      const damaged = await test.fingerprint(source.name);
      const itemsDamaged = await itemsNow();
      for (let calls = 0, killed = true; killed; calls = everyVersion ? calls + 1 : calls * 3 + 1) {
        const suffix = `kill${String(calls).padStart(2, '0')}`;
        const dying = mortal(await shellOf(source.id));
        let undo: unknown;
        const steps = {
          ...silent,
          switching: async (_detail: string, told: unknown) => {
            undo = JSON.parse(JSON.stringify(told));
            dying.dieAfter(calls);
          },
        };
        const restoring = engine.restore(dying.shell, from, { suffix }, options, steps, signal());
        killed = await restoring.then(
          () => dying.isDead,
          (error: unknown) => {
            assert.ok(dying.isDead, `nothing but its death may make it fail: ${error} ${(error as Error).stack}`);
            return true;
          },
        );
        if (!killed) break;
        const recover = async () => engine.recover(await shellOf(source.id), { suffix, undo }, options, signal());
        const found = await recover();
        await recover(); // Twice does no harm.
        await docker('start', source.name); // As the journal's next line has it started.
        await test.ready(source.name);
        if (needsRestore(found)) {
          // It cannot take this back and says so; then the way out that it names must work.
          await restoreInto(engine, await shellOf(source.id), manifest, dumped, options, signal());
          await test.ready(source.name);
          assert.equal(await test.fingerprint(source.name), wanted, found.found);
          break;
        }
        const now = await test.fingerprint(source.name);
        assert.ok(
          now === damaged || now === wanted,
          `after ${calls} calls it is neither as before nor as in the backup`,
        );
        if (found.live !== 'either') assert.equal(found.live, now === damaged ? 'before' : 'restored');
        const items = now === wanted ? itemsWanted : itemsDamaged;
        assert.deepEqual(await itemsNow(), items, 'nothing is left of it');
        if (now === wanted) break;
      }
      await test.ready(source.name);
    });

    it('comes back by the lines of the manifest alone, in a fresh server that took the place of the lost one', async () => {
      const taken: { name: string; line: string; plain: Buffer; expected: string }[] = [];
      const place = await start();
      {
        await using source = place;
        await test.seed(source.name);
        await test.beforeByHand?.(source.name);
        const shell = await shellOf(source.id);
        const survey = await engine.survey(shell, options, signal());
        for (const { dump, plain, artifact } of await dumpAll(engine, shell, survey, options, signal())) {
          const expected = await test.byHandFingerprint(source.name, dump.name, false);
          taken.push({ name: dump.name, line: artifact.byHand, plain, expected });
        }
      }
      await using fresh = await start(place.name);
      const type = ({ line, plain }: (typeof taken)[number]) =>
        runLine(test.byHandLine?.(line) ?? line, plain, test.byHandEnvironment);
      for (const entry of taken) await type(entry);
      for (const entry of taken.filter(({ name }) => test.byHandAgain?.includes(name))) await type(entry);
      await test.ready(fresh.name);
      for (const { name, expected } of taken) {
        assert.equal(await test.byHandFingerprint(fresh.name, name, true), expected, name);
      }
    });
  });
}

/** Runs the line a person would type, with the plain bytes on its standard input. */
async function runLine(line: string, plain: Buffer, environment: Readonly<Record<string, string>> = {}): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const env = { ...process.env, ...environment };
    const child = spawn('sh', ['-c', line], { stdio: ['pipe', 'pipe', 'pipe'], env });
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
