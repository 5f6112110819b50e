import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, beforeEach, describe, it } from 'node:test';
import { connectDocker } from '../../src/docker/dockerode.ts';
import { checkPermissions } from '../../src/docker/permissions.ts';
import { checkExec, checkHalfClose } from '../../src/docker/self-test.ts';
import { createShell } from '../../src/docker/shell.ts';
import { type SocketProxy, startSocketProxy } from '../fakes/socket-proxy.ts';
import { docker, forgetful, runId, startContainer } from '../support/testbed.ts';

const never = new AbortController().signal;
const version = '/v1\\.[0-9]+';

/** Every endpoint as it stands in docs/how-to/socket-proxy.md, what it is for, and what a Tecnativa proxy must allow. */
const endpoints: readonly [string, RegExp, string, 'warn' | 'fail', string][] = [
  ['GET /containers/json', new RegExp(`GET ${version}/containers/json`), 'discovery', 'fail', 'CONTAINERS=1'],
  ['GET /containers/{id}/json', new RegExp(`GET ${version}/containers/[^/]+/json`), 'discovery', 'fail', ''],
  ['HEAD /containers/{id}/archive', /HEAD .*\/archive/, 'discovery', 'fail', ''],
  ['GET /images/{ref}/json', /GET .*\/images\/.*\/json/, 'discovery', 'fail', 'IMAGES=1'],
  ['GET /volumes', /GET .*\/volumes/, 'discovery', 'fail', 'VOLUMES=1'],
  ['POST /containers/{id}/exec', /POST .*\/exec /, 'exec', 'fail', ''],
  ['POST /exec/{id}/start', /POST .*\/exec\/.*\/start/, 'exec', 'fail', ''],
  ['GET /exec/{id}/json', /GET .*\/exec\/.*\/json/, 'exec', 'fail', ''],
  ['POST /containers/{id}/stop', /POST .*\/stop/, 'stop and start', 'fail', 'ALLOW_STOP=1'],
  ['POST /containers/{id}/start', /POST .*\/containers\/.*\/start/, 'stop and start', 'fail', 'ALLOW_START=1'],
  ['POST /containers/create', /POST .*\/containers\/create/, 'helpers', 'warn', ''],
  ['POST /containers/{id}/attach', /POST .*\/attach/, 'helpers', 'warn', ''],
  ['POST /containers/{id}/wait', /POST .*\/wait/, 'helpers', 'warn', ''],
  ['POST /containers/{id}/kill', /POST .*\/kill/, 'helpers', 'warn', 'ALLOW_RESTARTS=1'],
  ['DELETE /containers/{id}', /DELETE .*\/containers\//, 'helpers', 'warn', ''],
  ['DELETE /volumes/{name}', /DELETE .*\/volumes\//, 'helpers', 'warn', ''],
  ['POST /containers/{id}/pause', /POST .*\/pause/, 'pause', 'warn', ''],
  ['POST /containers/{id}/unpause', /POST .*\/unpause/, 'pause', 'warn', ''],
  ['GET /containers/{id}/archive', /GET .*\/archive/, 'files of containers', 'warn', ''],
  ['PUT /containers/{id}/archive', /PUT .*\/archive/, 'files of containers', 'warn', ''],
  ['GET /events', /GET .*\/events/, 'events', 'warn', 'EVENTS=1'],
];

describe('a socket proxy before the Engine', { concurrency: false }, () => {
  let proxy: SocketProxy;
  let target: Awaited<ReturnType<typeof startContainer>>;
  before(async () => {
    proxy = await startSocketProxy(process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock');
    target = await startContainer('debian:trixie-slim', { args: ['sleep', 'infinity'], run: ['--init'] });
  });
  after(async () => {
    await target[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
  });
  beforeEach(() => {
    proxy.forbidden = undefined;
    proxy.trouble = {};
    proxy.rewrite = undefined;
    proxy.allows = undefined;
  });

  it('fault 106: a proxy that allows everything passes, and nothing is made or stopped on the way', async () => {
    const api = await connectDocker({ host: proxy.host });
    const before = await docker('ps', '-q', '--filter', `id=${target.id}`);
    const checks = await checkPermissions(api, never);
    assert.deepEqual(
      checks.filter(({ status }) => status !== 'pass'),
      [],
    );
    assert.equal(await docker('ps', '-q', '--filter', `id=${target.id}`), before);
    assert.equal(await docker('ps', '-aq', '--filter', 'name=6c696665626f6174'), '');
    assert.equal(await docker('volume', 'ls', '-q', '--filter', 'name=6c696665626f6174'), '');
  });

  it('fault 106: each endpoint that is refused is named, with what does not work and the switch', async () => {
    const api = await connectDocker({ host: proxy.host });
    for (const [title, line, feature, status, switches] of endpoints) {
      proxy.forbidden = line;
      const checks = await checkPermissions(api, never);
      const bad = checks.filter((check) => check.status !== 'pass');
      assert.deepEqual(
        bad.map(({ name, status: found }) => [name, found]),
        // Forbidding to pause forbids to unpause in this proxy's eyes too, and so on: the pattern decides.
        [[feature, status]],
        title,
      );
      assert.ok(bad[0]?.message.includes(`the socket proxy does not allow ${title}`), `${title}: ${bad[0]?.message}`);
      assert.ok(bad[0]?.hint?.includes(switches), `${title}: ${bad[0]?.hint}`);
    }
  });

  it('fault 106: a proxy that lets ids through by their look is not misjudged', async () => {
    const api = await connectDocker({ host: proxy.host });
    const page = await readFile(new URL('../../docs/how-to/socket-proxy.md', import.meta.url), 'utf8');
    // The patterns of the example with helpers, the last line of each method.
    const allowed = new Map(
      page
        .matchAll(/- '-allow([A-Z]+)=(.*)'/g)
        .map(([, method = '', pattern = '']) => [method, new RegExp(`^${pattern}$`)] as const),
    );
    assert.deepEqual([...allowed.keys()].sort(), ['DELETE', 'GET', 'HEAD', 'POST', 'PUT']);
    proxy.allows = (line) => {
      const [method = '', url = ''] = line.split(' ');
      return allowed.get(method)?.test(url.split('?')[0] ?? '') ?? false;
    };
    const checks = await checkPermissions(api, never);
    proxy.allows = undefined;
    assert.deepEqual(
      checks.filter(({ status }) => status !== 'pass'),
      [],
    );
  });

  it('fault 106: what a proxy allows without any switch is told from what lacks POST', async () => {
    const api = await connectDocker({ host: proxy.host });
    proxy.forbidden = /^(?:POST|PUT|DELETE) /;
    const hints = (await checkPermissions(api, never)).flatMap(({ name, hint }) => (hint ? [`${name}: ${hint}`] : []));
    assert.ok(hints.length >= 5);
    for (const hint of hints) assert.match(hint, /\(POST=1 with Tecnativa's\)/);
    proxy.forbidden = /^(?!GET \/v[^/]*\/(?:containers|images)|HEAD )/;
    const all = (await checkPermissions(api, never)).map(({ hint }) => hint ?? '').join(' ');
    for (const wanted of ['EXEC=1', 'POST=1', 'VOLUMES=1', 'EVENTS=1']) assert.ok(all.includes(wanted), wanted);
    assert.ok(!all.includes('IMAGES=1'));
  });

  it('fault 17: an Engine whose API is too old or that no longer speaks ours is refused in words', async () => {
    const said = (from: RegExp, to: string) => (text: string) =>
      text.replace(from, (found) => to.padEnd(found.length).slice(0, found.length));
    proxy.rewrite = said(/"ApiVersion":"1\.\d\d"/g, '"ApiVersion":"1.24"');
    await assert.rejects(connectDocker({ host: proxy.host }), {
      code: 'DOCKER_REFUSED',
      message: /speaks API 1\.24, Lifeboat needs 1\.41/,
      hint: /20\.10/,
    });
    proxy.rewrite = said(/"MinAPIVersion":"1\.\d\d"/g, '"MinAPIVersion":"1.99"');
    await assert.rejects(connectDocker({ host: proxy.host }), {
      code: 'DOCKER_REFUSED',
      message: /no longer speaks API/,
      hint: 'update Lifeboat',
    });
    proxy.rewrite = said(/"ApiVersion":"1\.\d\d"/g, '"ApiVersion":"1.41"');
    const api = await connectDocker({ host: proxy.host });
    assert.equal(api.engine.apiVersion, '1.41');
    assert.equal((await api.container(target.id))?.state, 'running', 'spoken with the older version');
  });

  it('exec and half-close work through a proxy that passes them on', async () => {
    const api = await connectDocker({ host: proxy.host });
    const container = await api.container(target.id);
    assert.ok(container);
    const shell = createShell(api, { id: runId, run: runId }, forgetful(api), container, 0);
    assert.equal((await checkExec(shell, never)).status, 'pass');
    assert.equal((await checkHalfClose(api, container, never)).status, 'pass');
  });

  it('a proxy that swallows the end of the input, or tears the connection at it, is found out', async () => {
    const api = await connectDocker({ host: proxy.host });
    const container = await api.container(target.id);
    assert.ok(container);
    proxy.trouble = { halfClose: 'swallowed' };
    const swallowed = await checkHalfClose(api, container, never);
    assert.equal(swallowed.status, 'fail');
    assert.match(swallowed.message, /never saw the end of its input within 5 s/);
    proxy.trouble = { halfClose: 'torn' };
    const torn = await checkHalfClose(api, container, never);
    assert.equal(torn.status, 'fail');
    assert.match(torn.message, /\d+ of 1048576 bytes came back after the end of the input/);
    assert.match(torn.hint ?? '', /proxy/);
  });

  it('a proxy that does not let exec start is named in the self-test as well', async () => {
    const api = await connectDocker({ host: proxy.host });
    const container = await api.container(target.id);
    assert.ok(container);
    proxy.forbidden = /POST .*\/exec\/.*\/start/;
    const shell = createShell(api, { id: runId, run: runId }, forgetful(api), container, 0);
    const check = await checkExec(shell, never);
    assert.equal(check.status, 'fail');
    assert.match(check.message, /does not allow POST \/exec\/\{id\}\/start/);
  });
});
