import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { RunResult, SourceResult } from '../domain/run-event.ts';
import { backupSummary, copySummary, doctorSummary, restoreSummary, summaryLine, verifySummary } from './summary.ts';

const run = '20261121-092919-yref9q';

/** Results of as many sources, in a few letters: ok, degraded, failed, cancelled, skipped. */
function results(...kinds: SourceResult['result'][]): SourceResult[] {
  return kinds.map((result, i) => ({ source: `s${i}/postgres`, result, durationMs: 1 }));
}

describe('the last line', () => {
  const backups: [RunResult, SourceResult[], string][] = [
    ['ok', results('ok'), '✔ backed up s0/postgres (run yref9q)'],
    ['ok', results('ok', 'ok'), '✔ backed up 2 sources (run yref9q)'],
    ['partial', results('ok', 'ok', 'failed'), '! backed up 2 of 3 sources, 1 failed (run yref9q)'],
    ['partial', results('ok', 'skipped'), '! backed up 1 of 2 sources, 1 skipped (run yref9q)'],
    ['degraded', results('ok', 'degraded'), '! backed up 2 sources, 1 not in every destination (run yref9q)'],
    ['degraded', results('degraded'), '! backed up s0/postgres, but not in every destination (run yref9q)'],
    ['partial', results('partial'), '! backed up s0/postgres, but only in part (run yref9q)'],
    ['partial', results('ok', 'partial'), '! backed up 2 sources, 1 only in part (run yref9q)'],
    ['failed', results('failed', 'failed'), '✖ backed up nothing, 2 failed (run yref9q)'],
    ['cancelled', results('ok', 'cancelled'), '✖ backed up 1 of 2 sources, 1 cancelled (run yref9q)'],
  ];
  const plain = { paint: (_: unknown, text: string) => text };
  for (const [result, sources, text] of backups)
    it(`of backup: ${text}`, () => assert.equal(summaryLine(plain, backupSummary({ run, result, sources })), text));

  const problem = { destination: 'offsite', key: '', message: 'away' };
  const verified: [Parameters<typeof verifySummary>[0]['result'], SourceResult[], (typeof problem)[], string][] = [
    ['ok', results('ok'), [], '✔ verified 1 backup: 1 sound (run yref9q)'],
    ['ok', results('ok', 'ok', 'ok'), [], '✔ verified 3 backups: all sound (run yref9q)'],
    ['failed', results('ok', 'failed'), [], '✖ verified 2 backups: 1 sound, 1 damaged (run yref9q)'],
    ['partial', results('ok', 'degraded'), [], '! verified 2 backups: 1 sound, 1 not wholly checked (run yref9q)'],
    [
      'partial',
      results('ok', 'ok'),
      [problem],
      '! verified 2 backups: 2 sound, 1 thing could not be read (run yref9q)',
    ],
  ];
  for (const [result, found, problems, text] of verified)
    it(`of verify: ${text}`, () =>
      assert.equal(summaryLine(plain, verifySummary({ run, result, backups: found, problems })), text));

  const id = '20261121-092919-hkyn97';
  const named = (...kinds: SourceResult['result'][]) => results(...kinds).map((each) => ({ ...each, backup: id }));
  type Copied = Partial<Parameters<typeof copySummary>[0]>;
  const copied: [Copied, string][] = [
    [{ backups: named('ok') }, '✔ copied s0/postgres hkyn97 to far (run yref9q)'],
    [{ backups: named('ok', 'ok'), there: [id] }, '✔ copied 2 backups to far, 1 there already (run yref9q)'],
    [{ there: [id] }, '✔ the backup is in far already (run yref9q)'],
    [{ there: [id, id] }, '✔ all 2 backups are in far already (run yref9q)'],
    [
      { result: 'partial', backups: named('ok', 'failed'), untried: [id] },
      '! copied 1 of 3 backups to far, 1 failed, 1 not tried (run yref9q)',
    ],
    [{ result: 'failed', backups: named('failed') }, '✖ copied nothing to far, 1 failed (run yref9q)'],
    [
      { result: 'partial', there: [id], problems: [problem] },
      '! the backup is in far already, 1 thing could not be read (run yref9q)',
    ],
  ];
  for (const [fields, text] of copied)
    it(`of copy: ${text}`, () => {
      const report = { run, to: 'far', result: 'ok' as const, backups: [], there: [], untried: [], problems: [] };
      assert.equal(summaryLine(plain, copySummary({ ...report, ...fields })), text);
    });

  it('of restore', () => {
    const report = {
      ...{ run, source: 'db/postgres', backup: '20261121-092919-hkyn97', durationMs: 4_000 },
      ...{ checks: [], warnings: [], kept: [], restarted: [], undo: undefined },
    };
    assert.equal(restoreSummary(report, undefined).text, 'restored db/postgres from hkyn97 in 4s (run yref9q)');
    assert.equal(
      restoreSummary(report, 'beside').text,
      'restored db/postgres from hkyn97 as beside in 4s (run yref9q)',
    );
  });

  it('of doctor', () => {
    const of = (...kinds: ('pass' | 'note' | 'warn' | 'fail')[]) =>
      summaryLine(plain, doctorSummary(kinds.map((status) => ({ status }))));
    assert.equal(of('pass', 'pass', 'note'), '✔ 2 checks passed, nothing to mend');
    assert.equal(of('pass', 'warn'), '! 1 of 2 checks passed, 1 warning');
    assert.equal(of('pass', 'warn', 'warn', 'fail'), '✖ 1 of 4 checks passed, 2 warnings, 1 failed');
  });
});
