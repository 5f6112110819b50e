import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Webhook } from 'standardwebhooks';
import { database, run, type Stack, startStack } from '../../support/stack.ts';
import { docker, eventually } from '../../support/testbed.ts';

const secret = `whsec_${Buffer.from('a secret of this test, 32 bytes!').toString('base64')}`;

const receiver = `
const http = require('node:http');
const seen = [];
http.createServer((q, r) => {
  if (q.method === 'GET') return r.end(JSON.stringify(seen));
  let body = ''; q.on('data', (c) => { body += c; }); q.on('end', () => { seen.push({ path: q.url, headers: q.headers, body }); r.end('ok'); });
}).listen(8080);`;

const services = `
${database}  hook:
    image: node:26-trixie-slim
    init: true
    command: ["node", "-e", ${JSON.stringify(receiver)}]
    labels: { lifeboat.enable: "false" }
`;

interface Seen {
  readonly path: string;
  readonly headers: Record<string, string>;
  readonly body: string;
}

describe('the daemon in its container', { concurrency: false }, () => {
  let stack: Stack;
  const sidecar = () => `${stack.project}-sidecar-1`;
  const seen = async (): Promise<Seen[]> => {
    const script = "fetch('http://127.0.0.1:8080').then((r) => r.text()).then(console.log)";
    return JSON.parse(await docker('exec', `${stack.project}-hook-1`, 'node', '-e', script));
  };
  const hook = async (type: string): Promise<Seen> => {
    const found = (await seen()).find(({ path, body }) => path === '/hook' && JSON.parse(body).type === type);
    assert.ok(found, `a webhook of type ${type}`);
    return found;
  };

  before(async () => {
    stack = await startStack(
      services,
      {
        LIFEBOAT_SCHEDULE: 'manual',
        LIFEBOAT_NOTIFY_ON: 'failure, recovered, success',
        LIFEBOAT_NOTIFY_WEBHOOK_URL: 'http://hook:8080/hook',
        LIFEBOAT_NOTIFY_WEBHOOK_SECRET: secret,
        LIFEBOAT_NOTIFY_SLACK_URL: 'http://hook:8080/slack',
        LIFEBOAT_NOTIFY_SLACK_ON: 'failure',
      },
      'daemon',
    );
  });
  after(() => stack[Symbol.asyncDispose]());

  it('is healthy, and its commands are clients of it', async () => {
    await eventually(() => docker('exec', sidecar(), 'lifeboat', 'healthcheck'));
    const backup = await run('docker', ['exec', sidecar(), 'backup']);
    assert.equal(backup.code, 0, backup.stderr);
    assert.match(backup.stderr, /✔ db\/postgres/);
    assert.match((await run('docker', ['exec', sidecar(), 'status'])).stdout, /db\/postgres/);
    const logs = await stack.compose('logs', '--no-log-prefix', 'sidecar');
    assert.match(logs.stdout, /run \w{6} finished: 1 ok/);
  });

  it('tells a webhook with a signature that others can check, and Slack of failures only', async () => {
    const success = await eventually(() => hook('run.succeeded'));
    new Webhook(secret).verify(success.body, success.headers);
    await stack.compose('pause', 'db');
    const failed = await run('docker', ['exec', sidecar(), 'backup', 'db']);
    await stack.compose('unpause', 'db');
    assert.equal(failed.code, 1);
    const failure = await eventually(() => hook('run.failed'));
    new Webhook(secret).verify(failure.body, failure.headers);
    assert.match(failure.body, /paused/);
    const slack = await eventually(async () => {
      const found = (await seen()).filter(({ path }) => path === '/slack');
      assert.equal(found.length, 1);
      return found[0]?.body ?? '';
    });
    assert.match(slack, /"type":"header"/);
    assert.equal((await run('docker', ['exec', sidecar(), 'backup', 'db'])).code, 0);
    await eventually(() => hook('run.recovered'));
  });

  it('fault 37: ends in good order when it is told to stop, and comes back', async () => {
    await stack.compose('stop', 'sidecar');
    assert.equal(await docker('inspect', '-f', '{{.State.ExitCode}}', sidecar()), '0');
    await stack.compose('start', 'sidecar');
    await eventually(() => docker('exec', sidecar(), 'lifeboat', 'healthcheck'));
    const listed = JSON.parse((await stack.ok('list', '--json')).stdout);
    assert.equal(listed.backups.length, 2);
  });
});
