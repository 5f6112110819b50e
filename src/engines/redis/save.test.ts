import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isLifeboatError } from '../../domain/errors.ts';
import type { RedisClient, Reply } from './client.ts';
import { saveNow } from './save.ts';

interface State {
  readonly runId?: string;
  readonly time: number;
  readonly saving?: 0 | 1;
  readonly rewriting?: 0 | 1;
  readonly loading?: 0 | 1;
  readonly saves?: number;
  readonly lastSave: number;
  readonly status?: 'ok' | 'err';
}

/** A server that goes through these states, one per look; BGSAVE gives the answers in order. */
function server(states: readonly State[], answers: readonly string[] = ['Background saving started']) {
  const asked: string[] = [];
  let looks = 0;
  let saves = 0;
  const reply = (text: string): Reply => ({ text, isError: /^(?:ERR|NOPERM)/.test(text) });
  const client = {
    shell: { container: { name: 'cache' } },
    ask: async (commands: readonly (readonly string[])[]) => {
      asked.push(commands[0]?.[0] ?? '');
      if (commands[0]?.[0] === 'BGSAVE') return [reply(answers[Math.min(saves++, answers.length - 1)] ?? '')];
      const state = states[Math.min(looks++, states.length - 1)] as State;
      const { runId = 'a', saving = 0, rewriting = 0, loading = 0, saves: begun, lastSave, status = 'ok' } = state;
      const persistence = [
        `loading:${loading}\nrdb_bgsave_in_progress:${saving}\naof_rewrite_in_progress:${rewriting}`,
        `rdb_last_save_time:${lastSave}\nrdb_last_bgsave_status:${status}`,
        ...(begun === undefined ? [] : [`rdb_saves:${begun}`]),
      ].join('\n');
      return [reply(`run_id:${runId}`), reply(persistence), reply(`${state.time}\n0`)];
    },
  } as unknown as RedisClient;
  return { client, asked };
}

const save = (client: RedisClient) => saveNow(client, 'a', AbortSignal.timeout(20_000));

describe('having a server save', () => {
  it('waits until the save that it asked for has ended well', async () => {
    const { client } = server([
      { time: 100, lastSave: 50, saves: 3 },
      { time: 101, lastSave: 50, saves: 4, saving: 1 },
      { time: 102, lastSave: 102, saves: 4 },
    ]);
    assert.equal(await save(client), 100);
  });

  it('is not satisfied with a save of the same second that was there before', async () => {
    const { client, asked } = server([
      { time: 100, lastSave: 100, saves: 3 },
      { time: 100, lastSave: 100, saves: 3 },
      { time: 100, lastSave: 100, saves: 4 },
    ]);
    assert.equal(await save(client), 100);
    assert.equal(asked.filter((name) => name === 'INFO').length, 3);
  });

  it('is not satisfied with a save that was only begun', async () => {
    const { client, asked } = server([
      { time: 100, lastSave: 50, saves: 3 },
      { time: 101, lastSave: 50, saves: 4 },
      { time: 102, lastSave: 102, saves: 4 },
    ]);
    assert.equal(await save(client), 100);
    assert.equal(asked.filter((name) => name === 'INFO').length, 3);
  });

  it('fails when the save after ours failed: which of them left the file is not known', async () => {
    const { client } = server([
      { time: 100, lastSave: 50, saves: 3 },
      { time: 101, lastSave: 101, saves: 5, status: 'err' },
    ]);
    await assert.rejects(save(client), (error) => isLifeboatError(error, 'COMMAND_FAILED'));
  });

  it('fails when the child fails, although saving had started and an older file is there', async () => {
    const { client } = server([
      { time: 100, lastSave: 50, saves: 3 },
      { time: 101, lastSave: 50, saves: 4, status: 'err' },
    ]);
    await assert.rejects(save(client), (error) => isLifeboatError(error, 'COMMAND_FAILED'));
  });

  it('takes an old failure for what it is once a new save went well', async () => {
    const { client } = server([
      { time: 100, lastSave: 50, saves: 3, status: 'err' },
      { time: 101, lastSave: 50, saves: 3, status: 'err' },
      { time: 102, lastSave: 102, saves: 4 },
    ]);
    assert.equal(await save(client), 100);
  });

  it('waits for what the server does already before it asks', async () => {
    const { client, asked } = server([
      { time: 99, lastSave: 50, saves: 3, loading: 1 },
      { time: 99, lastSave: 50, saves: 3, rewriting: 1 },
      { time: 100, lastSave: 50, saves: 3 },
      { time: 101, lastSave: 101, saves: 4 },
    ]);
    assert.equal(await save(client), 100);
    assert.deepEqual(asked.slice(0, 4), ['INFO', 'INFO', 'INFO', 'BGSAVE']);
  });

  it('asks again when somebody else saved first', async () => {
    const { client, asked } = server(
      [
        { time: 100, lastSave: 50, saves: 3 },
        { time: 101, lastSave: 101, saves: 4 },
        { time: 102, lastSave: 102, saves: 5 },
      ],
      ['ERR Background save already in progress', 'Background saving started'],
    );
    assert.equal(await save(client), 101);
    assert.equal(asked.filter((name) => name === 'BGSAVE').length, 2);
  });

  it('tells two saves apart by time where the server does not count them', async () => {
    const { client, asked } = server([
      { time: 100, lastSave: 99 },
      { time: 101, lastSave: 99 },
      { time: 101, lastSave: 99 },
      { time: 102, lastSave: 102 },
    ]);
    assert.equal(await save(client), 101);
    assert.deepEqual(asked.slice(0, 3), ['INFO', 'INFO', 'BGSAVE']);
  });

  it('notices that the server was restarted meanwhile', async () => {
    const { client } = server([
      { time: 100, lastSave: 50, saves: 3 },
      { time: 101, lastSave: 101, saves: 4, runId: 'b' },
    ]);
    await assert.rejects(save(client), (error) => isLifeboatError(error, 'SOURCE_REPLACED'));
  });

  it('says when this login may not save, and fails on any other refusal', async () => {
    const states: State[] = [{ time: 100, lastSave: 50, saves: 3 }];
    assert.equal(
      await save(server(states, ["NOPERM User x has no permissions to run the 'bgsave' command"]).client),
      undefined,
    );
    const refused = save(server(states, ["ERR Can't BGSAVE: fork: Cannot allocate memory"]).client);
    await assert.rejects(
      refused,
      (error) => isLifeboatError(error, 'COMMAND_FAILED') && /allocate/.test(error.message),
    );
  });
});
