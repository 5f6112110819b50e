import assert from 'node:assert/strict';
import { test } from 'node:test';
import { isLifeboatError } from '../domain/errors.ts';
import { overview } from './entries.ts';
import { parse } from './program.ts';

const read = (line: string) => parse(line === '' ? [] : line.split(' '), '1.2.3');

function refusal(line: string): readonly [message: string, hint: string | undefined] {
  try {
    read(line);
  } catch (error) {
    if (isLifeboatError(error, 'USAGE')) return [error.message, error.hint];
    throw error;
  }
  throw new Error(`${line} was taken`);
}

test('without a command it is the overview, whatever flags stand there', () => {
  for (const line of ['', '--json', '-q --no-color', '--progress plain'])
    assert.equal(read(line)?.does, overview, line);
});

test('global flags are understood before and behind a command', () => {
  for (const line of [
    '--json -y --no-input list db',
    'list --json db -y --no-input',
    'list db --json --yes --no-input',
  ]) {
    const found = read(line);
    assert.deepEqual(found?.args, ['db'], line);
    const { json, yes, input, color, quiet, verbose, progress } = found?.global ?? {};
    assert.deepEqual([json, yes, input, color], [true, true, false, true], line);
    assert.deepEqual([quiet ?? false, verbose ?? false, progress], [false, false, 'auto'], line);
  }
});

test('options belong to their command', () => {
  const found = read('restore db --at k3f9a2 -n -v --progress json');
  assert.deepEqual(found?.options, { at: 'k3f9a2', dryRun: true, safetyBackup: true });
  assert.deepEqual([found?.global.verbose, found?.global.progress], [true, 'json']);
});

test('what is wrong is answered with what was meant', () => {
  assert.deepEqual(refusal('bakcup'), ["unknown command 'bakcup'", 'Did you mean backup?']);
  assert.deepEqual(refusal('restore --att x'), ["unknown option '--att'", 'Did you mean --at?']);
  assert.match(refusal('list --progress fancy')[0], /Allowed choices are auto, tty, plain, json, quiet/);
  assert.match(refusal('show')[0], /missing required argument 'id'/);
  assert.match(refusal('list a b')[0], /too many arguments/);
  assert.equal(refusal('list a b')[1], 'lifeboat list --help');
  assert.equal(refusal('--nonsense')[1], 'lifeboat --help');
});
