import assert from 'node:assert/strict';
import { request } from 'node:http';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { hello, never, servedDaemon } from '../../test/fakes/served-daemon.ts';
import { sampleManifest } from '../../test/samples/manifest.ts';
import { LifeboatError } from '../domain/errors.ts';

describe('the daemon over its socket', { concurrency: false }, () => {
  const at = servedDaemon();
  const { serve, client } = at;

  it('says hello with what a client needs to know', async () => {
    await serve({});
    assert.deepEqual((await client()).hello, hello);
  });

  it('answers what is asked as the operations do', async () => {
    const asked: unknown[] = [];
    const manifest = sampleManifest();
    await serve({
      list: async (ask) => {
        asked.push(ask);
        return { backups: [{ manifest, destinations: ['local'] }], problems: [] };
      },
      show: async (id) => {
        asked.push(id);
        return { manifest, destinations: ['local'], locations: [] };
      },
      logs: async (ask) => {
        asked.push(ask);
        return { run: 'r', trigger: 'manual', sources: [], startedAt: '', events: [] };
      },
      plan: async () => ({ stack: 'shop', sources: [], uncovered: [] }),
      cancel: async (run) => {
        asked.push(run);
        return `whole-${run}`;
      },
    });
    const { operations } = await client();
    assert.deepEqual((await operations.list({ target: 'db/postgres & more' }, never)).backups[0]?.manifest, manifest);
    assert.deepEqual((await operations.list({}, never)).problems, []);
    assert.equal((await operations.show('k3f9a2', never)).manifest.id, manifest.id);
    assert.equal((await operations.logs({ run: 'k3f9a2' }, never)).run, 'r');
    await operations.logs({}, never);
    assert.equal((await operations.plan(never)).stack, 'shop');
    assert.equal(await operations.cancel('k3f9a2', never), 'whole-k3f9a2');
    assert.deepEqual(asked, [{ target: 'db/postgres & more' }, {}, 'k3f9a2', { run: 'k3f9a2' }, {}, 'k3f9a2']);
  });

  it('gives errors as they were thrown', async () => {
    const thrown = new LifeboatError('BACKUP_NOT_FOUND', 'there is no backup k3f9a2', {
      hint: 'lifeboat list',
      retryable: true,
      context: { run: 'r', n: 1 },
    });
    await serve({
      show: async () => {
        throw thrown;
      },
      planRestore: async () => {
        throw thrown;
      },
    });
    const { operations } = await client();
    const wanted = {
      name: 'LifeboatError',
      code: 'BACKUP_NOT_FOUND',
      message: 'there is no backup k3f9a2',
      hint: 'lifeboat list',
      retryable: true,
      context: { run: 'r', n: 1 },
    };
    await assert.rejects(operations.show('k3f9a2', never), wanted);
    await assert.rejects(operations.planRestore({ target: 'db', at: 'latest', skipSafety: false }, never), wanted);
  });

  for (const [what, method, path, body] of [
    ['a path as an id', 'GET', '/v1/backups/..%2F..%2Fetc%2Fpasswd', ''],
    ['a broken escape', 'GET', '/v1/backups/%E0%A4%A', ''],
    ['a target with a path', 'POST', '/v1/backup', '{"targets":["../x/y"]}'],
    ['control characters', 'POST', '/v1/backup', '{"targets":["db\\u001b[2J"]}'],
    ['a trigger', 'POST', '/v1/backup', '{"targets":[],"trigger":"schedule"}'],
    ['no JSON', 'POST', '/v1/restore', '{'],
    ['too much', 'POST', '/v1/backup', `{"targets":[]${' '.repeat(70_000)}}`],
    ['too little', 'POST', '/v1/restore', '{"target":"db"}'],
    ['an unknown path', 'GET', '/v1/nothing', ''],
    ['the wrong method', 'GET', '/v1/restore', ''],
    ['an unknown query', 'GET', '/v1/backups?folder=/etc', ''],
  ] as const) {
    it(`fault 100: refuses ${what}, and asks nothing of anybody`, async () => {
      await serve({});
      const answer = await raw(at.socketPath, method, path, body);
      assert.match(answer, /"code":"USAGE"/);
      assert.ok(await client(), 'and lives on');
    });
  }

  it('survives clients that speak no HTTP, send half a request, or vanish', async () => {
    await serve({ backup: () => new Promise(() => {}) });
    for (const text of [
      '\0\0\0',
      'GET /v1/hello HTTP/1.1\r\n',
      'POST /v1/backup HTTP/1.1\r\ncontent-length: 14\r\n\r\n{"targets":[]}',
    ]) {
      const socket = connect(at.socketPath);
      socket.on('error', () => {});
      socket.write(text);
      await sleep(20);
      socket.destroy();
    }
    assert.ok(await client());
  });

  it('is well or not by its status code, for those who ask without a client', async () => {
    await serve({}, { isHealthy: false, problems: [{ code: 'X', message: 'no Engine' }] });
    const answer = await raw(at.socketPath, 'GET', '/healthz', '');
    assert.equal(answer, '{"isHealthy":false,"problems":[{"code":"X","message":"no Engine"}]}');
  });
});

function raw(socketPath: string, method: string, path: string, body: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, agent: false }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('end', () => resolve(text));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
