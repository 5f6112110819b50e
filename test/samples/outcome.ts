import type { EndedSource, Facts, FinishedBackup } from '../../src/notifiers/outcome.ts';

/** Outcomes and what is known beside them. */

export const sampleFacts: Facts = {
  lifeboat: '0.1.0',
  stack: () => 'shop',
  host: () => 'host1',
  lastGood: () => ({ at: '2026-11-20T03:00:00.000Z', id: '20261120-030000-m1x7c2' }),
  nextRunAt: () => '2026-11-22T03:00:00.000Z',
};

export function endedSource(fields: Partial<EndedSource> = {}): EndedSource {
  return { stack: 'shop', source: 'db/postgres', result: 'ok', durationMs: 61_000, ...fields };
}

export function goodSource(fields: Partial<EndedSource> = {}): EndedSource {
  return endedSource({
    backup: '20261121-030000-k3f9a2',
    plainBytes: 1_288_490_188,
    storedBytes: 301_989_888,
    destinations: [{ name: 'local', result: 'ok' }],
    ...fields,
  });
}

export function failedSource(fields: Partial<EndedSource> = {}): EndedSource {
  return endedSource({
    result: 'failed',
    step: 'dump',
    error: { code: 'COMMAND_FAILED', message: 'pg_dump ended with exit code 1', hint: 'look at the log of db' },
    ...fields,
  });
}

/** Kept locally, but not off-site. */
export function degradedSource(fields: Partial<EndedSource> = {}): EndedSource {
  return goodSource({
    result: 'degraded',
    destinations: [
      { name: 'local', result: 'ok' },
      {
        name: 'offsite',
        result: 'failed',
        error: {
          code: 'STORE_UNAVAILABLE',
          message: 'AccessDenied: s3:PutObject on shop-backups',
          hint: 'check the key',
        },
      },
    ],
    ...fields,
  });
}

/** A run of these sources; its result follows from theirs. */
export function finishedRun(sources: readonly EndedSource[], fields: Partial<FinishedBackup> = {}): FinishedBackup {
  const failed = sources.filter(({ result }) => result === 'failed').length;
  const isDegraded = sources.some(({ result }) => result === 'degraded');
  const worst = failed > 0 ? 'partial' : isDegraded ? 'degraded' : 'ok';
  return {
    kind: 'backup',
    run: '20261121-030000-r7n2p9',
    trigger: 'schedule',
    result: failed > 0 && failed === sources.length ? 'failed' : worst,
    startedAt: '2026-11-21T03:00:00.000Z',
    finishedAt: '2026-11-21T06:00:00.000Z',
    sources,
    ...fields,
  };
}
