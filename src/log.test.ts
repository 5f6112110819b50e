import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { LogLevel } from './domain/log.ts';
import { createRedactor } from './domain/redact.ts';
import type { RunEvent, SourceResult } from './domain/run-event.ts';
import { createLog } from './log.ts';
import { createLogReader } from './runs/history/log-reader.ts';

function logging({ format = 'text', level = 'info' }: { format?: 'text' | 'json'; level?: LogLevel } = {}) {
  const lines: string[] = [];
  const redactor = createRedactor();
  const log = createLog({ level, format, redactor, write: (line) => void lines.push(line) });
  return { log, lines, redactor };
}

const run = '20261121-030000-k3f9a2';
const at = (seconds: number) => new Date(Date.UTC(2026, 10, 21, 3) + seconds * 1000).toISOString();

function narrated(events: readonly RunEvent[], options?: Parameters<typeof logging>[0]): string[] {
  const { log, lines } = logging(options);
  const reader = createLogReader(log);
  for (const event of events) reader.read(event);
  return lines;
}

const ended = (result: SourceResult, seconds = 1): RunEvent => ({
  type: 'source.finished',
  run,
  at: at(seconds),
  stack: 'shop',
  source: result.source,
  result,
});
const failed: SourceResult = {
  source: 'db/postgres',
  result: 'failed',
  durationMs: 5,
  error: { code: 'STORE_UNAVAILABLE', message: 'AccessDenied', hint: 'check the key' },
};
const ok: SourceResult = {
  source: 'app/files',
  result: 'ok',
  backup: '20261121-030001-aaaaaa',
  plainBytes: 1_200_000_000,
  storedBytes: 300_000_000,
  durationMs: 123_000,
};

test('lines for people have the time of the process, the level, the run and the source', () => {
  const { log, lines } = logging();
  log.warn('not in offsite', { run: 'k3f9a2', source: 'db/postgres', hint: 'check the key', code: 'STORE_FULL' });
  assert.match(
    lines[0] ?? '',
    /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d WARN {2}k3f9a2 db\/postgres: not in offsite – check the key \(code=STORE_FULL\)\n$/,
  );
});

test('lines for machines are JSON with the level as a word, the time in UTC and the same fields everywhere', () => {
  const { log, lines } = logging({ format: 'json' });
  log.error('failed', { run: 'k3f9a2', source: 'db/postgres', step: 'dump' });
  const { time, ...rest } = JSON.parse(lines[0] ?? '') as Record<string, unknown>;
  assert.match(String(time), /^\d{4}-\d\d-\d\dT.*Z$/);
  assert.deepEqual(rest, { level: 'error', run: 'k3f9a2', source: 'db/postgres', step: 'dump', msg: 'failed' });
});

test('what is less important than asked for is left out', () => {
  const { log, lines } = logging({ level: 'warn' });
  log.debug('no');
  log.info('no');
  log.warn('yes');
  log.error('yes');
  assert.equal(lines.length, 2);
});

for (const format of ['text', 'json'] as const) {
  test(`fault 95: no secret gets into ${format}, in a message, a field or the stack of an error`, () => {
    const { log, lines, redactor } = logging({ format });
    redactor.add('p w"\'$HOME%s\\n');
    redactor.add('s3cret/+=');
    const cause = new Error('login with s3cret/+= refused');
    log.error('postgres://app:s3cret%2F%2B%3D@db and s3cret/+=', {
      hint: 'p w"\'$HOME%s\\n',
      error: new Error('dump with s3cret/+= failed', { cause }),
    });
    assert.doesNotMatch(lines.join(''), /s3cret|HOME/);
    assert.match(
      lines.join(''),
      /dump with \[redacted\] failed[\s\S]*caused by Error: login with \[redacted\] refused/,
    );
  });

  test(`fault 108: control characters from others are shown, not obeyed, in ${format}`, () => {
    const { log, lines } = logging({ format });
    log.warn('\u001b[2Jgone\r\nlifeboat: all is well\u202e', { source: 'db/post\u0007gres', hint: 'a\nb' });
    assert.equal(lines.length, 1);
    assert.equal(lines[0]?.trimEnd().includes('\n'), false, 'one line');
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what is looked for
    assert.doesNotMatch(lines[0]?.trimEnd() ?? '', /[\u0000-\u001f\u007f-\u009f\u202e]/);
    assert.match(lines[0] ?? '', /u001b/);
  });
}

test('a secret of digits leaves the JSON whole', () => {
  const { log, lines, redactor } = logging({ format: 'json' });
  const { time } = { time: new Date().getUTCFullYear() };
  redactor.add(String(time));
  log.info(`the year ${time}`);
  const line = JSON.parse(lines[0] ?? '') as { msg: string; time: string };
  assert.equal(line.msg, 'the year [redacted]');
  assert.ok(line.time.startsWith(String(time)));
});

test('one line sums up a run', () => {
  const lines = narrated([
    {
      type: 'run.started',
      run,
      at: at(0),
      stacks: ['shop'],
      sources: ['db/postgres', 'app/files'],
      trigger: 'schedule',
    },
    ended(ok),
    ended(failed),
    { type: 'run.finished', run, at: at(252), result: 'partial' },
  ]);
  assert.equal(
    lines.at(-1)?.slice(20),
    'ERROR run k3f9a2 finished: 1 ok, 1 failed in 4m12s – db/postgres: AccessDenied\n',
  );
  assert.match(lines[0] ?? '', /INFO {2}run k3f9a2 started \(schedule\): db\/postgres, app\/files\n/);
  assert.match(lines[1] ?? '', /INFO {2}k3f9a2 app\/files: saved as aaaaaa: 1.2 GB → 300 MB in 2m3s\n/);
  assert.match(lines[2] ?? '', /ERROR k3f9a2 db\/postgres: failed: AccessDenied – check the key \(code=STORE/);
});

test('a backup that is not everywhere is a warning that says where not', () => {
  const lost = [
    { name: 'local', result: 'ok' as const },
    { name: 'offsite', result: 'failed' as const, error: { code: 'STORE_UNAVAILABLE', message: 'no route' } },
  ];
  const [line] = narrated([ended({ ...ok, result: 'degraded', destinations: lost })]);
  assert.match(line ?? '', /WARN .*saved as aaaaaa.*, but not in offsite: no route/);
});

test('a run that failed as a whole says why', () => {
  const error = { code: 'RESTORE_REFUSED', message: 'the safety backup failed', hint: 'nothing was touched' };
  const [line] = narrated([{ type: 'run.finished', run, at: at(1), result: 'failed', error }]);
  assert.match(line ?? '', /ERROR run k3f9a2 finished: failed in 0s – the safety backup failed – nothing was touched/);
});

test('steps carry their name for machines; progress is not logged', () => {
  const step = { run, at: at(0), stack: 'shop', source: 'db/postgres', step: 'dump' } as const;
  const lines = narrated(
    [
      { type: 'step.started', ...step, detail: 'shop' },
      { type: 'progress', ...step, plainBytes: 1, storedBytes: 1 },
      { type: 'step.finished', ...step, detail: 'shop' },
    ],
    { format: 'json', level: 'debug' },
  );
  assert.deepEqual(
    lines.map((line) => {
      const { time: _time, ...rest } = JSON.parse(line) as Record<string, unknown>;
      return rest;
    }),
    [
      { level: 'info', run: 'k3f9a2', source: 'db/postgres', stack: 'shop', step: 'dump', msg: 'dumping shop' },
      { level: 'debug', run: 'k3f9a2', source: 'db/postgres', stack: 'shop', step: 'dump', msg: 'dumping shop: done' },
    ],
  );
});
