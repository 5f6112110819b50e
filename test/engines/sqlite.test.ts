import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { createShell } from '../../src/docker/shell.ts';
import { type ErrorCode, LifeboatError } from '../../src/domain/errors.ts';
import { type Artifact, Manifest, manifestFormat } from '../../src/domain/manifest.ts';
import { newId } from '../../src/domain/naming.ts';
import type { Shell } from '../../src/domain/shell.ts';
import type { Dump, RestoreTarget, Survey } from '../../src/engines/engine.ts';
import { sqlite } from '../../src/engines/sqlite/index.ts';
import type { SqliteOptions } from '../../src/engines/sqlite/options.ts';
import { testEngine } from '../contracts/engine.ts';
import {
  type ContainerOptions,
  docker,
  dockerWithInput,
  eventually,
  forgetful,
  runId,
  shellOf,
  startContainer,
  testApi,
  testLabel,
} from '../support/testbed.ts';
import { damage, fingerprint, inApp, numbers, seed } from './sqlite-seed.ts';

/** Writes 50 rows a second to /data/app.db in WAL mode as uid 1000; each row carries the sum of all numbers so far. */
const app = 'lifeboat-testbed/sqlite-app';
const sleeper: ContainerOptions = { args: ['sleep', 'infinity'], run: ['--init', '--stop-timeout', '1'] };
const signal = () => AbortSignal.timeout(60_000);

/** A stand-in for Lifeboat's own image, made when it is missing; LIFEBOAT_TEST_IMAGE names the real one. */
async function image(tag: string, ...packages: string[]): Promise<string> {
  const recipe = `FROM debian:trixie-slim\nRUN apt-get update && apt-get install -y --no-install-recommends ${packages.join(' ')}\n`;
  if ((await docker('images', '-q', tag)) === '') await dockerWithInput(recipe, 'build', '-q', '-t', tag, '-');
  return tag;
}

process.env.LIFEBOAT_TEST_IMAGE ??= await image('lifeboat-testbed/own:sqlite', 'sqlite3');

function contract(
  name: string,
  files: readonly [string, string],
  options?: Partial<SqliteOptions>,
  usesPipes = false,
): void {
  testEngine(name, {
    usesPipes,
    engine: sqlite,
    image: app,
    container: () => ({ ...sleeper, volumes: ['/data'] }),
    ...(options ? { options: sqlite.options.parse({ method: 'auto', ...options }) } : {}),
    ready: (container) => eventually(async () => void (await docker('exec', container, 'true'))),
    seed: async (container) => void (await inApp(container, seed, ...files)),
    fingerprint: (container) =>
      inApp(container, `${fingerprint}`, ...files).catch((error: Error) =>
        // A damaged source lacks a file; that differs from every fingerprint.
        error.message.includes('unable to open') ? 'a file is missing' : Promise.reject(error),
      ),
    damage: async (container) => void (await inApp(container, damage, ...files)),
    leavingOut: options?.files ? { files: '/none.db' } : { exclude: '/**' },
    // A flipped bit inside a value is a value like any other to SQLite.
    strictKinds: [],
    byHandFingerprint: (container, artifact) => inApp(container, fingerprint, artifact),
  });
}

const inVolume = ['/data/app.db', '/data/sub folder/we%i#r?d &1.sqlite3'] as const;
const inLayer = ['/home/node/state/app.db', '/home/node/other/b.sqlite'] as const;

interface Dumped {
  readonly survey: Survey;
  readonly manifest: Manifest;
  readonly plain: ReadonlyMap<string, Buffer>;
}

const defaults = sqlite.options.parse({});
const optionsOf = (options: Partial<SqliteOptions>): SqliteOptions => ({ ...defaults, ...options });

/** A whole backup as a run makes it: surveyed, dumped, proved, reviewed. */
async function backUp(shell: Shell, options = defaults): Promise<Dumped> {
  const survey = await sqlite.survey(shell, options, signal());
  const artifacts: Artifact[] = [];
  const plain = new Map<string, Buffer>();
  for await (const dump of sqlite.dump(shell, survey, options, { counts: 'exact' }, signal())) {
    const bytes = await read(shell, dump);
    const proof = await sqlite.prove(shell, dump, Readable.from([bytes]), options, signal());
    const { name, kind, facts } = dump;
    const stored = {
      file: name,
      plainBytes: bytes.length,
      storedBytes: bytes.length,
      storedSha256: '',
      codecs: [],
      byHand: '',
    };
    artifacts.push({
      name,
      kind,
      ...stored,
      facts: { ...facts },
      counts: [...((await dump.counts) ?? []), ...proof.counts],
    });
    plain.set(name, bytes);
  }
  await sqlite.review(
    shell,
    survey,
    artifacts.map((artifact) => ({ ...artifact, extension: '' })),
    options,
    signal(),
  );
  const at = new Date().toISOString();
  const { id, name, number, image: reference, imageId } = shell.container;
  const manifest = Manifest.parse({
    format: manifestFormat,
    id: newId(new Date()),
    set: newId(new Date()),
    stack: 'test',
    service: name,
    source: 'sqlite',
    engine: 'sqlite',
    lifeboat: '0',
    trigger: 'manual',
    startedAt: at,
    finishedAt: at,
    server: { product: survey.product, version: survey.version, identity: survey.identity },
    container: { id, name, number, image: reference, imageId },
    tool: survey.tool,
    path: { taken: 'exec', why: 'test' },
    consistency: survey.consistency,
    options: {},
    artifacts,
    seals: [],
    warnings: [],
  });
  return { survey, manifest, plain };
}

async function read(shell: Shell, { produce }: Dump): Promise<Buffer> {
  assert.equal(produce.from, 'command');
  return buffer((await shell.output(produce.helper?.command ?? produce.exec, signal())).stdout);
}

function restore(shell: Shell, { manifest, plain }: Dumped, target: Partial<RestoreTarget> = {}, at?: string[]) {
  const from = { manifest, open: async ({ name }: Artifact) => Readable.from([plain.get(name) ?? Buffer.alloc(0)]) };
  const steps = {
    staging: () => void at?.push('staging'),
    checking: () => void at?.push('checking'),
    switching: async () => void at?.push('switching'),
  };
  return sqlite.restore(shell, from, { suffix: 'abc123', ...target }, defaults, steps, signal());
}

/** The writer's own proof: numbers without a gap, and the last sum is the sum over them. Returns how many. */
const story = (name: string, path = '/data/app.db') =>
  inApp(
    name,
    `const d = new DatabaseSync(process.argv[2]); const all = d.prepare('SELECT number, total FROM entry ORDER BY number').all();
  all.reduce((sum, { number, total }, i) => { if (number !== i + 1 || total !== sum + number) throw new Error('gap at ' + number); return total; }, 0);
  console.log(all.length)`,
    path,
  ).then(Number);

/** The same for bytes. */
async function storyOf(bytes: Buffer): Promise<number> {
  await using reader = await startContainer(app, sleeper);
  await dockerWithInput(bytes, 'exec', '-i', reader.name, 'sh', '-c', 'cat >/data/copy.db');
  return await story(reader.name, '/data/copy.db');
}

const running = (name: string) => docker('inspect', '-f', '{{.State.Status}} {{.State.StartedAt}}', name);
const files = (name: string, folder = '/data') => docker('exec', name, 'ls', '-An', folder);

const refusal = (code: ErrorCode, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LifeboatError, String(error));
  assert.equal(error.code, code, error.message);
  if (message) assert.match(error.message, message);
  return true;
};

async function writer(options: ContainerOptions = {}) {
  const container = await startContainer(app, options);
  const path = options.env?.DATABASE ?? '/data/app.db';
  await eventually(async () => assert.ok((await story(container.name, path)) > 20));
  return container;
}

/** A shell where no helper may be made, as behind a strict socket proxy. */
async function withoutHelpers(id: string): Promise<Shell> {
  const api = await testApi();
  const container = await api.container(id);
  assert.ok(container);
  return createShell(api, { id: runId, run: runId }, forgetful, container, 10_000);
}

describe('sqlite', { concurrency: false }, () => {
  contract('sqlite in a volume, by a helper', inVolume);
  contract('sqlite in a volume, by a helper through pipes', inVolume, undefined, true);
  contract('sqlite in the layer, by a tool of the container', inLayer, { files: inLayer });
  contract('sqlite while paused', inLayer, { files: ['/home/node/**/*.db', inLayer[1]], method: 'pause' });

  describe('beside a busy writer', () => {
    for (const [how, database, method] of [
      ['a helper', '/data/app.db', 'auto'],
      ['a tool of the container', '/home/node/app.db', 'auto'],
      ['pausing', '/data/app.db', 'pause'],
    ] as const) {
      it(`copies one moment of it by ${how}, and leaves everything to its owner`, async () => {
        await using source = await writer({ env: { DATABASE: database } });
        const before = await story(source.name, database);
        const dumped = await backUp(await shellOf(source.id), optionsOf({ files: [database], method }));
        const after = await story(source.name, database);
        assert.equal(/paused/.test(dumped.survey.consistency), method === 'pause');
        const [bytes = Buffer.alloc(0)] = dumped.plain.values();
        const copied = await storyOf(bytes);
        assert.ok(before <= copied && copied <= after && before < after, `${before} ${copied} ${after}`);
        const counts = dumped.manifest.artifacts[0]?.counts ?? [];
        assert.deepEqual(counts.find(({ how: each }) => each === 'exact')?.objects, { 'rows of entry': copied });
        assert.equal(counts.find(({ how: each }) => each === 'dump')?.objects['rows of entry'], copied);
        const folder = database.slice(0, database.lastIndexOf('/'));
        for (const line of (await files(source.name, folder)).split('\n').filter((each) => each.includes('app.db'))) {
          assert.match(line, / 1000 1000 /);
        }
        await eventually(async () => assert.ok((await story(source.name, database)) > after, 'the app goes on'));
        assert.deepEqual((await docker('exec', source.name, 'ls', '/tmp')).match(/lifeboat/), null);
      });
    }

    it('copies a large one over a scratch volume that goes with the helper', async () => {
      await using source = await writer();
      await inApp(
        source.name,
        `const d = new DatabaseSync('/data/app.db'); d.exec('PRAGMA busy_timeout = 10000; CREATE TABLE big (b)');
        for (let i = 0; i < 9; i++) d.exec('INSERT INTO big SELECT randomblob(8000) FROM ${numbers(1000)}')`,
      );
      const since = Math.floor(Date.now() / 1000);
      const dumped = await backUp(await shellOf(source.id));
      assert.ok((dumped.plain.get('/data/app.db')?.length ?? 0) > 64 * 1024 ** 2);
      const until = String(Math.ceil(Date.now() / 1000));
      const seen = await docker('events', '--since', String(since), '--until', until, '--filter', 'type=volume');
      assert.match(seen, new RegExp(`volume create lifeboat-helper-${runId}.*-scratch`));
      assert.equal(await docker('volume', 'ls', '-q', '--filter', `label=lifeboat.owner=${runId}`), '');
    });

    it('lets the app go on when a backup is given up while it is paused or read', async () => {
      for (const method of ['pause', 'auto'] as const) {
        await using source = await writer({ env: { DATABASE: '/home/node/app.db' } });
        const shell = await shellOf(source.id);
        const options = optionsOf({ files: ['/home/node/app.db'], method });
        const survey = await sqlite.survey(shell, options, signal());
        for await (const { produce } of sqlite.dump(shell, survey, options, { counts: 'auto' }, signal())) {
          assert.equal(produce.from, 'command');
          const abort = new AbortController();
          const { stdout } = await shell.output(produce.exec, abort.signal);
          const ended = buffer(stdout);
          if (method === 'pause')
            await eventually(async () => assert.match(await running(source.name), /^paused/), 10_000);
          abort.abort();
          await assert.rejects(ended);
        }
        await eventually(async () => assert.match(await running(source.name), /^running/));
        const now = await story(source.name, '/home/node/app.db');
        await eventually(async () => assert.ok((await story(source.name, '/home/node/app.db')) > now));
        await eventually(async () => assert.doesNotMatch(await docker('exec', source.name, 'ls', '/tmp'), /lifeboat/));
        assert.equal(await docker('ps', '-aq', '--filter', `label=lifeboat.owner=${runId}`), '');
      }
    });

    it('works where no helper may be made: with the tool of the container, or paused, checked beside us', async () => {
      await using source = await writer();
      for (const [method, warning] of [
        ['auto', /^$/],
        ['pause', /container is paused/],
      ] as const) {
        const shell = await withoutHelpers(source.id);
        const dumped = await backUp(shell, optionsOf({ files: ['/data/app.db'], method }));
        assert.match(dumped.survey.warnings.join(), warning);
        const [bytes = Buffer.alloc(0)] = dumped.plain.values();
        assert.ok((await storyOf(bytes)) > 20);
        const restored = await restore(await withoutHelpers(source.id), dumped);
        assert.match(restored.checks.join(), /byte by byte/);
        assert.ok((await story(source.name)) >= (await storyOf(bytes)));
      }
    });
  });

  describe('in containers with little inside', () => {
    /** A database of which only two rows are in the file and the others in its log, in a container that may be unable to make any. */
    const place = async (name: string, folder: string, rows = 3) => {
      await using maker = await startContainer(app, sleeper);
      const hold = `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync('/home/node/db');
        d.exec('PRAGMA journal_mode = WAL; CREATE TABLE t (x); INSERT INTO t VALUES (1), (2); PRAGMA wal_checkpoint');
        for (let i = 2; i < ${rows}; i++) d.exec('INSERT INTO t VALUES (3)');
        require('node:fs').writeFileSync('/home/node/ready', ''); setInterval(() => d.isOpen, 1000)`;
      await docker('exec', '-d', maker.name, 'node', '-e', hold);
      await eventually(async () => assert.match(await files(maker.name, '/home/node'), /ready/));
      const between = await mkdtemp(join(tmpdir(), 'lifeboat-copy-'));
      for (const file of ['db', 'db-wal']) {
        await docker('cp', '-a', `${maker.name}:/home/node/${file}`, join(between, file));
        await docker('cp', '-a', join(between, file), `${name}:${folder}/${file}`);
      }
      await rm(between, { recursive: true });
    };
    const rows = (dumped: Dumped) => dumped.manifest.artifacts[0]?.counts.map(({ objects }) => objects['rows of t']);

    it('fault 20: without a shell', async () => {
      const recipe = `FROM debian:trixie-slim AS base
FROM scratch
COPY --from=base /usr/bin/sleep /sleep
COPY --from=base /usr/lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libc.so.6
COPY --from=base /usr/lib64/ld-linux-x86-64.so.2 /lib64/ld-linux-x86-64.so.2
WORKDIR /state`;
      const bare = 'lifeboat-testbed/no-shell';
      await dockerWithInput(recipe, 'build', '-q', '-t', bare, '-');
      await using source = await startContainer(bare, {
        args: ['/sleep', 'infinity'],
        run: ['--init', '-v', '/vol'],
      });
      for (const folder of ['/state', '/vol']) {
        await place(source.name, folder);
        const dumped = await backUp(await shellOf(source.id), optionsOf({ files: [`${folder}/db`] }));
        assert.deepEqual(rows(dumped)?.slice(1), [3, 3]);
        await place(source.name, folder, 9);
        const restored = await restore(await shellOf(source.id), dumped);
        assert.match(restored.checks.join(), /3 rows as in the backup/);
        const again = await backUp(await shellOf(source.id), optionsOf({ files: [`${folder}/db`] }));
        assert.deepEqual(rows(again)?.slice(1), [3, 3]);
      }
      await assert.rejects(
        sqlite.survey(await shellOf(source.id), optionsOf({ files: ['/state/*'] }), signal()),
        refusal('SOURCE_NOT_FOUND', /name each file/),
      );
    });

    for (const [tool, packages] of [
      ['sqlite3', ['sqlite3']],
      ['python3', ['python3']],
    ] as const) {
      it(`with ${tool} only`, { skip: tool === 'python3' && !process.env.LIFEBOAT_TEST_ALL }, async () => {
        const tag = await image(`lifeboat-testbed/with-${tool}`, ...packages);
        await using source = await startContainer(tag, {
          ...sleeper,
          run: [...(sleeper.run ?? []), '--tmpfs', '/var/tmp'],
        });
        await docker('exec', source.name, 'mkdir', '-m', '777', '/srv/state');
        await place(source.name, '/srv/state');
        const dumped = await backUp(
          await shellOf(source.id),
          optionsOf({ files: ['/srv/state/db'], method: 'online' }),
        );
        assert.equal(dumped.survey.tool.name, tool);
        assert.deepEqual(rows(dumped), [undefined, 3, 3]);
        assert.equal(await docker('exec', source.name, 'sh', '-c', 'ls /tmp'), '');
      });
    }

    it('with nothing at all: paused, or refused when it must be online', async () => {
      await using source = await startContainer('debian:trixie-slim', sleeper);
      await place(source.name, '/srv');
      const shell = await shellOf(source.id);
      assert.deepEqual(rows(await backUp(shell, optionsOf({ files: ['/srv/db'] })))?.slice(1), [3, 3]);
      await assert.rejects(
        sqlite.survey(shell, optionsOf({ files: ['/srv/db'], method: 'online' }), signal()),
        refusal('TOOL_MISSING', /no sqlite3, python3 or Node/),
      );
    });
  });

  describe('finding databases', () => {
    it('takes the folder of a volume that is mounted, not the volume', async () => {
      const volume = `lifeboat-${runId}-parts`;
      await docker('volume', 'create', '--label', `${testLabel}=${runId}`, volume);
      try {
        await docker(
          'run',
          '--rm',
          '-v',
          `${volume}:/v`,
          '--user',
          '0',
          app,
          'sh',
          '-c',
          'mkdir /v/part && chown 1000 /v/part && echo other >/v/app.db',
        );
        const mount = `type=volume,src=${volume},dst=/data,volume-subpath=part`;
        await using source = await writer({ run: ['--mount', mount] });
        const dumped = await backUp(await shellOf(source.id));
        assert.deepEqual(
          dumped.survey.items.map(({ name }) => name),
          ['/data/app.db'],
        );
        await restore(await shellOf(source.id), dumped);
        assert.ok((await story(source.name)) > 20);
      } finally {
        await docker('volume', 'rm', '-f', volume);
      }
    });

    it('does not take what another mount hides from the app', async () => {
      const volume = `lifeboat-${runId}-outer`;
      await docker('volume', 'create', '--label', `${testLabel}=${runId}`, volume);
      try {
        await using inner = await startContainer(app, { ...sleeper, run: ['--init', '-v', `${volume}:/data`] });
        await inApp(
          inner.name,
          `fs.mkdirSync('/data/sub'); for (const p of ['/data/a.db', '/data/sub/b.db']) new DatabaseSync(p).exec('CREATE TABLE t (x)')`,
        );
        await using outer = await startContainer(app, {
          ...sleeper,
          run: ['--init', '-v', `${volume}:/data`, '-v', '/data/sub'],
        });
        const survey = await sqlite.survey(await shellOf(outer.id), defaults, signal());
        assert.deepEqual(
          survey.items.map(({ name }) => name),
          ['/data/a.db'],
        );
      } finally {
        await docker('volume', 'rm', '-f', volume);
      }
    });

    it('takes no container without a writable volume, and no database server', async () => {
      await using bare = await startContainer('debian:trixie-slim', sleeper);
      assert.equal(sqlite.recognise((await shellOf(bare.id)).container), false);
      await using source = await startContainer(app, sleeper);
      const { container } = await shellOf(source.id);
      assert.equal(sqlite.recognise(container), true);
      for (const name of [
        'postgres:17',
        'docker.io/library/mariadb:11',
        'valkey/valkey',
        'reg:5000/x/my-mysql@sha256:ab',
      ]) {
        assert.equal(sqlite.recognise({ ...container, image: name }), false, name);
      }
    });

    it('says where it looked when an app has none', async () => {
      await using source = await startContainer(app, sleeper);
      await docker(
        'exec',
        source.name,
        'sh',
        '-c',
        'echo text >/data/notes.db; : >/data/empty.sqlite; mkfifo /data/pipe.db; head -c 9000 /dev/zero >/data/README',
      );
      const survey = await sqlite.survey(await shellOf(source.id), defaults, signal());
      assert.deepEqual(survey.items, []);
      assert.deepEqual(survey.left, [
        { name: 'SQLite', why: 'no SQLite file found in /data' },
        { name: '/data/empty.sqlite', why: 'not a SQLite database' },
        { name: '/data/notes.db', why: 'not a SQLite database' },
      ]);
    });

    it('takes a database whose beginning is damaged for what it is, as long as its log is there', async () => {
      for (const [act, code] of [
        ['head -c 300 /dev/urandom | dd of=/data/app.db conv=notrunc status=none', 'PROOF_FAILED'],
        [': >/data/app.db', 'DUMP_EMPTY'],
      ] as const) {
        await using source = await writer();
        await docker('kill', source.name);
        await docker('run', '--rm', '--volumes-from', source.name, '-u', '0', app, 'sh', '-c', act);
        await assert.rejects(sqlite.survey(await shellOf(source.id), defaults, signal()), refusal(code));
        const survey = await sqlite.survey(
          await shellOf(source.id),
          optionsOf({ exclude: ['/data/app.db'] }),
          signal(),
        );
        assert.deepEqual(survey.items, []);
      }
    });

    it('finds them by content, names without an extension included, and leaves out what is excluded or its own', async () => {
      await using source = await startContainer(app, sleeper);
      const paths = [
        '/data/a/b/c/one.db',
        '/data/History',
        '/data/two.sqlite3',
        '/data/skip/three.db',
        '/data/photo.jpg',
      ];
      await inApp(
        source.name,
        `for (const p of process.argv.slice(2)) { fs.mkdirSync(require('node:path').dirname(p), { recursive: true }); const d = new DatabaseSync(p); d.exec('CREATE TABLE t (x)'); d.close(); }`,
        ...paths,
        '/data/one.db.lifeboat-prev-x',
        '/data/.lifeboat-new-x-one.db',
      );
      const shell = await shellOf(source.id);
      const items = async (options: Partial<SqliteOptions>) =>
        (await sqlite.survey(shell, optionsOf(options), signal())).items.map(({ name }) => name).sort();
      assert.deepEqual(await items({}), [
        '/data/History',
        '/data/a/b/c/one.db',
        '/data/skip/three.db',
        '/data/two.sqlite3',
      ]);
      assert.deepEqual(await items({ exclude: ['/data/skip/*'] }), [
        '/data/History',
        '/data/a/b/c/one.db',
        '/data/two.sqlite3',
      ]);
      assert.deepEqual(await items({ files: ['/data/*', '/data/**/*.db'], exclude: ['/data/skip/*'] }), [
        '/data/History',
        '/data/a/b/c/one.db',
        '/data/photo.jpg',
        '/data/two.sqlite3',
      ]);
    });

    it('fault 28: refuses a named file that is missing, empty, cut to a stub or none, and makes nothing', async () => {
      await using source = await startContainer(app, sleeper);
      await docker(
        'exec',
        source.name,
        'sh',
        '-c',
        ': >/data/empty.db; echo hello >/data/text.db; ln -s text.db /data/link.db',
      );
      for (const shell of [await shellOf(source.id), await withoutHelpers(source.id)]) {
        for (const [path, code, message] of [
          ['/data/missing.db', 'SOURCE_NOT_FOUND', /does not exist/],
          ['/home/node/missing.db', 'SOURCE_NOT_FOUND', /does not exist/],
          ['/data/empty.db', 'DUMP_EMPTY', /is empty/],
          ['/data/text.db', 'PROOF_FAILED', /not a SQLite database/],
          ['/data/link.db', 'SOURCE_NOT_FOUND', /symbolic link/],
          ['/data/*.sqlite3', 'SOURCE_NOT_FOUND', /no SQLite database matches/],
        ] as const) {
          await assert.rejects(sqlite.survey(shell, optionsOf({ files: [path] }), signal()), refusal(code, message));
        }
      }
      assert.doesNotMatch(await files(source.name), /missing/);
    });

    it('fault 28: a file that vanishes or is emptied after the survey fails the dump and is not made anew', async () => {
      for (const [database, method, what] of [
        ['/data/app.db', 'auto', 'rm'],
        ['/data/app.db', 'auto', ': >'],
        ['/data/app.db', 'pause', 'rm'],
        ['/home/node/app.db', 'auto', 'rm'],
      ] as const) {
        await using source = await startContainer(app, sleeper);
        await inApp(source.name, `new DatabaseSync(process.argv[2]).exec('CREATE TABLE t (x)')`, database);
        const shell = await shellOf(source.id);
        const options = optionsOf({ files: [database], method });
        const survey = await sqlite.survey(shell, options, signal());
        await docker('exec', source.name, 'sh', '-c', `${what} ${database}`);
        for await (const dump of sqlite.dump(shell, survey, options, { counts: 'auto' }, signal())) {
          await assert.rejects(read(shell, dump), LifeboatError, `${what} ${database}`);
        }
        const left = await docker('exec', source.name, 'sh', '-c', `ls ${database}* 2>/dev/null || :`);
        assert.equal(left, what === 'rm' ? '' : database);
      }
    });

    it('fault 28: refuses a source that is cut, and a copy that lacks the log', async () => {
      await using source = await startContainer(app, sleeper);
      await inApp(
        source.name,
        `new DatabaseSync('/data/app.db').exec('CREATE TABLE t (x); INSERT INTO t SELECT randomblob(500) FROM ${numbers(500)}')`,
      );
      await docker('exec', source.name, 'truncate', '-s', '-9000', '/data/app.db');
      await assert.rejects(backUp(await shellOf(source.id)), LifeboatError);
      const artifact = { name: 'app', kind: 'database', extension: 'sqlite', facts: {}, plainBytes: 8192 };
      const counts = [
        { how: 'exact' as const, objects: { 'rows of t': 5001 } },
        { how: 'dump' as const, objects: { 'rows of t': 1 } },
      ];
      const shell = await shellOf(source.id);
      const survey = await sqlite.survey(shell, optionsOf({}), signal());
      await assert.rejects(
        sqlite.review(shell, survey, [{ ...artifact, counts }], defaults, signal()),
        refusal('PROOF_FAILED', /1 instead of 5001/),
      );
    });

    it('accepts a database whose collations only its app has, and says how it was checked', async () => {
      await using source = await startContainer(app, sleeper);
      await inApp(
        source.name,
        `const d = new DatabaseSync('/data/app.db', { defensive: false }); d.exec("CREATE TABLE t (x TEXT); CREATE INDEX i ON t (x); INSERT INTO t VALUES ('a'), ('b'); PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = 'CREATE TABLE t (x TEXT COLLATE icu_root)' WHERE name = 't'"); d.close();`,
      );
      const shell = await shellOf(source.id);
      const survey = await sqlite.survey(shell, defaults, signal());
      for await (const dump of sqlite.dump(shell, survey, defaults, { counts: 'exact' }, signal())) {
        const bytes = await read(shell, dump);
        const proof = await sqlite.prove(shell, dump, Readable.from([bytes]), defaults, signal());
        assert.match(proof.method, /every page was walked.*icu_root/);
        bytes[4096 + 8] = 0xff; // the first page of a tree
        bytes[4096] = 0xff;
        await assert.rejects(
          sqlite.prove(shell, dump, Readable.from([bytes]), defaults, signal()),
          refusal('PROOF_FAILED'),
        );
      }
    });
  });

  describe('restoring', () => {
    it('fault 84: takes a log that was left behind away with the database it belongs to, and keeps both', async () => {
      await using source = await writer();
      const dumped = await backUp(await shellOf(source.id));
      const [bytes = Buffer.alloc(0)] = dumped.plain.values();
      const saved = await storyOf(bytes);
      await eventually(async () => assert.ok((await story(source.name)) > saved + 20));
      const later = await story(source.name);
      await docker('kill', source.name);
      const steps: string[] = [];
      const restored = await restore(await shellOf(source.id), dumped, {}, steps);
      assert.deepEqual(steps, ['staging', 'checking', 'switching']);
      assert.match(await running(source.name), /^exited/, 'a container that did not run is not started');
      assert.match(restored.kept.join(), /app\.db\.lifeboat-prev-abc123/);
      await docker('start', source.name);
      const next = new RegExp(`writing from row ${saved + 1}\\b`);
      await eventually(async () => assert.match(await docker('logs', source.name), next));
      assert.ok((await story(source.name)) >= saved);
      assert.ok((await story(source.name, '/data/app.db.lifeboat-prev-abc123')) >= later, 'the kept one has its log');
    });

    it('replaces a database that is too damaged to be opened, log and all', async () => {
      await using source = await writer();
      const dumped = await backUp(await shellOf(source.id));
      const [bytes = Buffer.alloc(0)] = dumped.plain.values();
      const saved = await storyOf(bytes);
      await eventually(async () => assert.ok((await story(source.name)) > saved + 20));
      await docker('kill', source.name);
      // Its log alone would heal it: every page was written since the last checkpoint.
      const garble = 'for f in /data/app.db*; do head -c 3000 /dev/urandom | dd of=$f conv=notrunc status=none; done';
      await docker('run', '--rm', '--volumes-from', source.name, '-u', '0', app, 'sh', '-c', garble);
      await restore(await shellOf(source.id), dumped);
      await docker('start', source.name);
      const next = new RegExp(`writing from row ${saved + 1}\\b`);
      await eventually(async () => assert.match(await docker('logs', source.name), next));
      assert.ok((await story(source.name)) >= saved);
      assert.match(await files(source.name), /app\.db\.lifeboat-prev-abc123-wal/, 'the log is kept with its database');
    });

    it('fault 75: puts every database back and starts the app when one of them cannot be replaced', async () => {
      const volume = `lifeboat-${runId}-shared`;
      await docker('volume', 'create', '--label', `${testLabel}=${runId}`, volume);
      try {
        await using source = await startContainer(app, {
          ...sleeper,
          run: [...(sleeper.run ?? []), '-v', `${volume}:/data`],
        });
        const [first, second] = ['/data/a.db', '/data/b.db'];
        await inApp(source.name, seed, second, first);
        const dumped = await backUp(await shellOf(source.id));
        await inApp(
          source.name,
          `for (const p of process.argv.slice(2)) { const d = new DatabaseSync(p); d.exec('CREATE TABLE later (x)'); d.close(); }`,
          first,
          second,
        );
        const before = await inApp(source.name, fingerprint, first, second);
        {
          const hold = `const { DatabaseSync } = require('node:sqlite'); const d = new DatabaseSync('/data/b.db'); d.exec('INSERT INTO empty VALUES (1); DELETE FROM empty'); setInterval(() => d.isOpen, 1000)`;
          await using _other = await startContainer(app, {
            run: ['-v', `${volume}:/data`, '--init', '--stop-timeout', '1'],
            args: ['node', '-e', hold],
          });
          await eventually(async () => assert.match(await files(source.name), /b\.db-wal/));
          const started = await running(source.name);
          await assert.rejects(
            restore(await shellOf(source.id), dumped),
            refusal('RESTORE_FAILED', /\/data\/b\.db.*open/),
          );
          assert.match(await running(source.name), /^running/);
          assert.notEqual(await running(source.name), started, 'it was stopped and started');
        }
        assert.equal(await inApp(source.name, fingerprint, first, second), before);
        assert.doesNotMatch(await files(source.name), /lifeboat/);
      } finally {
        await docker('volume', 'rm', '-f', volume);
      }
    });

    it('fault 75: puts the database back when the app could not open what took its place', async () => {
      await using source = await writer();
      const dumped = await backUp(await shellOf(source.id));
      const saved = await story(source.name);
      await docker('exec', '-u', '0', source.name, 'chown', '0:0', '/data');
      await assert.rejects(
        restore(await shellOf(source.id), dumped),
        refusal('RESTORE_FAILED', /cannot be opened by its owner/),
      );
      // The app was started again, but cannot live with that folder.
      await docker('run', '--rm', '--volumes-from', source.name, '-u', '0', app, 'chown', '1000:1000', '/data');
      await docker('start', source.name);
      assert.doesNotMatch(await files(source.name), /lifeboat/);
      await eventually(async () => assert.ok((await story(source.name)) >= saved, 'nothing of it was lost'));
    });

    it('gives a new folder to whom it belonged', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bind-'));
      try {
        await using maker = await writer();
        const dumped = await backUp(await shellOf(maker.id));
        await using fresh = await startContainer(app, {
          ...sleeper,
          run: [...(sleeper.run ?? []), '-v', `${folder}:/data`],
        });
        const preview = await sqlite.preview(
          await shellOf(fresh.id),
          dumped.manifest,
          { suffix: 'x' },
          defaults,
          signal(),
        );
        assert.match(preview.lines.join(), /^make \/data\/app\.db/);
        const restored = await restore(await shellOf(fresh.id), dumped);
        assert.deepEqual(restored.kept, []);
        assert.equal(await docker('exec', fresh.name, 'stat', '-c', '%u:%g %a', '/data'), '1000:1000 755');
        assert.ok((await story(fresh.name)) > 20);
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('restores beside the live database without stopping anything', async () => {
      for (const database of ['/data/app.db', '/home/node/app.db']) {
        await using source = await writer({ env: { DATABASE: database } });
        const dumped = await backUp(await shellOf(source.id), optionsOf({ files: [database] }));
        const started = await running(source.name);
        await restore(await shellOf(source.id), dumped, { as: 'other.db' });
        assert.equal(await running(source.name), started);
        const beside = database.replace('app.db', 'other.db');
        assert.ok((await story(source.name, beside)) > 20);
        const preview = await sqlite.preview(
          await shellOf(source.id),
          dumped.manifest,
          { as: 'other.db', suffix: 'x' },
          defaults,
          signal(),
        );
        assert.match(preview.refusals.join(), /exists already/);
        await assert.rejects(restore(await shellOf(source.id), dumped, { as: 'other.db' }), refusal('RESTORE_FAILED'));
      }
    });

    it('refuses what cannot be replaced: a single mounted file, a mount the app may only read', async () => {
      const folder = await mkdtemp(join(tmpdir(), 'lifeboat-bind-'));
      try {
        await using maker = await writer();
        const dumped = await backUp(await shellOf(maker.id));
        await writeFile(join(folder, 'app.db'), dumped.plain.get('/data/app.db') ?? '');
        await using single = await startContainer(app, {
          ...sleeper,
          run: ['--init', '-v', `${folder}/app.db:/data/app.db`],
        });
        const preview = (id: string) =>
          shellOf(id).then((shell) => sqlite.preview(shell, dumped.manifest, { suffix: 'x' }, defaults, signal()));
        assert.match((await preview(single.id)).refusals.join(), /single file/);
        assert.ok((await backUp(await shellOf(single.id), optionsOf({ files: ['/data/app.db'] }))).plain.size === 1);
        await using readOnly = await startContainer(app, { ...sleeper, run: ['--init', '-v', `${folder}:/data:ro`] });
        assert.match((await preview(readOnly.id)).refusals.join(), /only read/);
        await assert.rejects(
          sqlite.survey(await shellOf(readOnly.id), optionsOf({ files: ['/data/app.db'] }), signal()),
          refusal('SOURCE_NOT_FOUND', /only read/),
        );
      } finally {
        await rm(folder, { recursive: true });
      }
    });

    it('refuses bytes that are whole but not those of the backup', async () => {
      await using source = await writer();
      const dumped = await backUp(await shellOf(source.id));
      const other = {
        ...dumped,
        plain: new Map([['/data/app.db', randomBytes(dumped.plain.get('/data/app.db')?.length ?? 0)]]),
      };
      const started = await running(source.name);
      await assert.rejects(restore(await shellOf(source.id), other), refusal('RESTORE_FAILED', /does not begin/));
      const [artifact] = dumped.manifest.artifacts;
      assert.ok(artifact);
      const counts = artifact.counts.map(({ how, objects }) => ({ how, objects: { ...objects, 'rows of entry': 5 } }));
      const fewer = { ...dumped, manifest: { ...dumped.manifest, artifacts: [{ ...artifact, counts }] } };
      await assert.rejects(restore(await shellOf(source.id), fewer), refusal('RESTORE_FAILED', /instead of 5/));
      assert.equal(await running(source.name), started);
      assert.doesNotMatch(await files(source.name), /lifeboat/);
    });
  });
});
