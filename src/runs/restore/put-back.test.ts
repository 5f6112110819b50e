import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sampleManifest } from '../../../test/samples/manifest.ts';
import { isLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Intent } from '../../domain/journal.ts';
import type { RunEvent } from '../../domain/run-event.ts';
import type { Container } from '../../domain/types.ts';
import type { Engine, Recovered, RestoreSteps } from '../../engines/engine.ts';
import { halfDone } from '../../engines/half-done.ts';
import type { RunContext } from '../context.ts';
import { RunLog } from '../history/run-log.ts';
import type { Source } from '../source.ts';
import type { RestorePlan } from './plan.ts';
import { putBack } from './put-back.ts';
import { stopServices } from './stopped.ts';

const never = new AbortController().signal;
const container = (service: string, more: Partial<Container> = {}) =>
  ({
    ...{ id: service, name: `shop-${service}-1`, stack: 'shop', service, number: 1, state: 'exited', mounts: [] },
    ...{ dependsOn: service === 'db' ? [] : [{ service: 'db', condition: 'service_started' }], ...more },
  }) as unknown as Container;
const volume = { mounts: [{ type: 'volume', name: 'data', target: '/data', readOnly: false }] } as Partial<Container>;

interface Trial {
  /** What the engine does from its switch on. */
  readonly restore: (steps: RestoreSteps) => Promise<void>;
  readonly recover?: () => Promise<Recovered>;
  /** Who runs when the switch is about to begin. */
  readonly awake?: readonly Container[];
  /** The files that it replaces. */
  readonly replaces?: readonly string[];
}

/** A restore into `db/postgres` for which `app` was stopped. */
async function trial({ restore, recover, awake = [], replaces }: Trial) {
  const acts: string[] = [];
  const open: Intent[] = [];
  const warnings: string[] = [];
  const db = container('db', { ...volume, state: 'exited' });
  const engine = {
    restore: async (...[, , , , steps]: Parameters<Engine['restore']>) => {
      await restore(steps);
      return { checks: [], warnings: [], kept: [] };
    },
    recover: recover ?? (async () => assert.fail('there is nothing to recover')),
  } as unknown as Engine;
  const source = { name: 'db/postgres', container: db, engine, settings: {} } as unknown as Source;
  const context = {
    refresh: async () => db,
    shell: () => ({}),
    candidates: async () => ({ sources: [source], uncovered: [] }),
    containers: async () => [db, ...awake.filter(({ stack }) => stack === 'shop')],
    neighbours: async () => awake,
    now: () => new Date(),
    journal: {
      intend: async (intent: Intent) => {
        open.push(intent);
        return async () => void open.splice(open.indexOf(intent), 1);
      },
    },
    lifecycle: {
      stop: async ({ service }: Container) => {
        acts.push(`stop ${service}`);
        return { leave: () => {}, [Symbol.asyncDispose]: async () => void acts.push(`start ${service}`) };
      },
    },
  } as unknown as RunContext;
  const emit = (event: RunEvent) => void (event.type === 'warning' && warnings.push(event.message));
  const log = new RunLog('20261121-030000-k3f9a2', emit, () => new Date());
  const request = { source, name: source.name, manifest: sampleManifest(), copies: [], skipSafety: true, run: log.run };
  const preview = { lines: [], refusals: [], warnings: [], ...(replaces ? { replaces } : {}) };
  const plan: RestorePlan = { request, preview, stops: [], takesSafety: false };
  const failed = await (async () => {
    await using stopped = await stopServices(context.lifecycle, [container('app')], source, log, never);
    const occupy = (more: readonly Container[]) => void acts.push(`occupy ${more.map(({ service }) => service)}`);
    const overwrites = async () => void acts.push('overwrite');
    const parts = { from: {} as never, stopped, occupy, overwrites };
    return await putBack(context, plan, parts, log, never).then(
      () => undefined,
      (error: unknown) => error,
    );
  })();
  assert.ok(failed === undefined || isLifeboatError(failed));
  return { acts, open, warnings, failed };
}

const breaks = async (steps: RestoreSteps) => {
  await steps.switching('shop', { kept: 'x' });
  throw new LifeboatError('COMMAND_FAILED', 'the server went away');
};

test('fault 75: while a switch cannot be taken back, who uses the data stays stopped, and the error says what to do', async () => {
  const recover = async () => {
    throw new LifeboatError('SOURCE_NOT_RUNNING', 'db is not running');
  };
  const { acts, open, failed } = await trial({ restore: breaks, recover });
  assert.deepEqual(acts, ['stop app']);
  assert.deepEqual(
    open.map(({ kind }) => kind),
    ['restore', 'restore'],
  );
  assert.equal(failed?.code, 'RESTORE_FAILED');
  assert.match(failed.message, /the server went away; it cannot be taken back yet: db is not running/);
  assert.match(
    failed.hint ?? '',
    /app stays stopped.*tried again.*sidecar restore shop\/db\/postgres\).*docker compose start app/,
  );
});

test('fault 75: nor does the owner of replaced files go on with what is in between', async () => {
  const recover = async () => Promise.reject(new LifeboatError('COMMAND_FAILED', 'the helper failed'));
  const { acts, failed } = await trial({ restore: breaks, recover, replaces: ['/data'] });
  assert.deepEqual(acts, ['stop app', 'stop db']);
  assert.match(failed?.hint ?? '', /app, db stay stopped.*docker compose start app db/);
});

test('fault 75: it stays stopped for the journal to deal with when nothing but another restore helps', async () => {
  const { acts, open, failed } = await trial({
    restore: breaks,
    recover: async () => ({ live: 'half', found: 'half' }),
  });
  assert.deepEqual([acts, open.length], [['stop app'], 2]);
  assert.match(failed?.hint ?? '', /app stays stopped.*restore again/);
});

test('fault 75: where nothing can be told from outside, the engine knows whether it put everything back', async () => {
  const recover = async (): Promise<Recovered> => ({ live: 'unknown', found: 'it may be half-written' });
  const undone = await trial({ restore: breaks, recover });
  assert.deepEqual([undone.acts, undone.open], [['stop app', 'start app'], []]);
  assert.equal(undone.failed?.message, 'the server went away');
  const restore = async (steps: RestoreSteps) => {
    await steps.switching('shop', { kept: 'x' });
    throw halfDone('it failed, and so did taking it back', {});
  };
  const half = await trial({ restore, recover });
  assert.deepEqual([half.acts, half.open.length], [['stop app'], 2]);
});

test('fault 75: what was taken back is left as it was, and what uses it starts', async () => {
  const recover = async (): Promise<Recovered> => ({ live: 'before', found: 'all is as it was' });
  const { acts, open, failed } = await trial({ restore: breaks, recover });
  assert.deepEqual([acts, open], [['stop app', 'start app'], []]);
  assert.deepEqual(
    [failed?.code, failed?.message, failed?.hint],
    ['COMMAND_FAILED', 'the server went away', 'by now all is as it was'],
  );
});

test('fault 75: a backup that took its place all the same is told of', async () => {
  const recover = async (): Promise<Recovered> => ({ live: 'restored', found: 'it had been completed' });
  const { acts, open, failed } = await trial({ restore: breaks, recover });
  assert.deepEqual([acts, open], [['stop app', 'start app'], []]);
  assert.match(failed?.message ?? '', /the server went away; yet the backup is in place/);
});

test('data that nobody touched keeps nobody stopped', async () => {
  const restore = async () => Promise.reject(new LifeboatError('COMMAND_FAILED', 'staging failed'));
  const recover = async () => Promise.reject(new LifeboatError('SOURCE_NOT_RUNNING', 'db is not running'));
  const { acts, warnings, failed } = await trial({ restore, recover });
  assert.deepEqual(acts, ['stop app', 'start app']);
  assert.equal(failed?.message, 'staging failed');
  assert.match(warnings.join(), /db is not running/);
});

test('fault 79: who came up since the plan was made is stopped before the switch', async () => {
  const late = container('late', { ...volume, state: 'running' });
  const { acts, warnings } = await trial({
    restore: async (steps) => steps.switching('shop', {}),
    awake: [late, container('app', { state: 'running' })],
    replaces: ['/data'],
  });
  assert.deepEqual(acts.slice(0, 4).sort(), ['occupy late,app', 'stop app', 'stop app', 'stop late'].sort());
  assert.match(warnings.join(), /started meanwhile, and stopped as well: .*late/);
});

test('fault 79: a stranger who came up since is not stopped, and nothing is touched', async () => {
  const stranger = container('stranger', { ...volume, state: 'running', stack: 'other' });
  const recover = async (): Promise<Recovered> => ({ live: 'before', found: 'untouched' });
  const { acts, open, failed } = await trial({ restore: breaks, recover, awake: [stranger], replaces: ['/data'] });
  assert.deepEqual([acts, open], [['stop app', 'start app'], []]);
  assert.equal(failed?.code, 'RESTORE_REFUSED');
  assert.match(failed.message, /shop-stranger-1 is not of this stack/);
});
