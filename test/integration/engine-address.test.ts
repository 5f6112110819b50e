import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { createServer as createTlsServer } from 'node:tls';
import type { DockerAddress } from '../../src/docker/address.ts';
import { connectDocker } from '../../src/docker/dockerode.ts';
import { checkExec, checkHalfClose } from '../../src/docker/self-test.ts';
import { createShell } from '../../src/docker/shell.ts';
import { docker, forgetful, runId, startContainer } from '../support/testbed.ts';

const never = new AbortController().signal;

/** The Engine by TCP: its own socket behind a port, plain or with TLS that wants a client's certificate. */
describe('an Engine that is not at a unix socket', { concurrency: false }, () => {
  let folder: string;
  let target: Awaited<ReturnType<typeof startContainer>>;
  let plain: Served;
  let tls: Served;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'lifeboat-tls-'));
    await makeCertificates(folder);
    target = await startContainer('debian:trixie-slim', { args: ['sleep', 'infinity'], run: ['--init'] });
    const [key, cert, ca] = ['server-key.pem', 'server-cert.pem', 'ca.pem'].map((name) =>
      readFileSync(join(folder, name)),
    );
    plain = await serve(createServer({ allowHalfOpen: true }, passOn));
    tls = await serve(
      createTlsServer({ key, cert, ca, requestCert: true, rejectUnauthorized: true, allowHalfOpen: true }, passOn),
    );
  });
  after(async () => {
    await plain?.[Symbol.asyncDispose]();
    await tls?.[Symbol.asyncDispose]();
    await target?.[Symbol.asyncDispose]();
    await rm(folder, { recursive: true, force: true });
  });

  /** Lists, inspects, and runs commands both ways with half-closed input, as dumps and restores do. */
  const isUsable = async (address: DockerAddress) => {
    const api = await connectDocker(address);
    const container = await api.container(target.id);
    assert.ok(container);
    const shell = createShell(api, { id: runId, run: runId }, forgetful(api), container, 0);
    const checks = [await checkExec(shell, never), await checkHalfClose(api, container, never)];
    assert.deepEqual(
      checks.map(({ status, message }) => (status === 'pass' ? status : message)),
      ['pass', 'pass'],
    );
  };

  it('is used by TCP', () => isUsable({ host: `tcp://127.0.0.1:${plain.port}` }));

  it('is used by TLS with a certificate of ours', () =>
    isUsable({ host: `tcp://127.0.0.1:${tls.port}`, certPath: folder, tlsVerify: true }));

  it('is not trusted when another authority signed it, and says what to set', async () => {
    const strangers = join(folder, 'strangers');
    await mkdir(strangers);
    await makeCertificates(strangers);
    await assert.rejects(connectDocker({ host: `tcp://127.0.0.1:${tls.port}`, certPath: strangers }), {
      code: 'DOCKER_UNAVAILABLE',
      message: /certificate/,
      hint: /DOCKER_CERT_PATH/,
    });
  });

  it('that does not take our certificate says so', async () => {
    const mixed = join(folder, 'mixed');
    await mkdir(mixed);
    await makeCertificates(mixed);
    await copyFile(join(folder, 'ca.pem'), join(mixed, 'ca.pem'));
    await assert.rejects(connectDocker({ host: `tcp://127.0.0.1:${tls.port}`, certPath: mixed }), {
      code: 'DOCKER_UNAVAILABLE',
      hint: /DOCKER_CERT_PATH/,
    });
  });

  it('needs the files of its certificates', () =>
    assert.rejects(connectDocker({ host: `tcp://127.0.0.1:${tls.port}`, certPath: join(folder, 'missing') }), {
      code: 'DOCKER_UNAVAILABLE',
      message: /missing\/ca\.pem/,
      hint: /DOCKER_CERT_PATH/,
    }));

  it('is told from one that speaks TLS', async () => {
    await assert.rejects(connectDocker({ host: `tcp://127.0.0.1:${tls.port}` }), {
      code: 'DOCKER_UNAVAILABLE',
      hint: /DOCKER_CERT_PATH/,
    });
  });
});

interface Served extends AsyncDisposable {
  readonly port: number;
}

async function serve(server: Server): Promise<Served> {
  const open = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Both directions to the Engine's socket, each ended by itself. */
function passOn(client: Socket): void {
  const path = (process.env.DOCKER_HOST ?? 'unix:///var/run/docker.sock').replace('unix://', '');
  const engine = connect({ path, allowHalfOpen: true });
  for (const [from, to] of [
    [client, engine],
    [engine, client],
  ] as const) {
    from.on('error', () => to.destroy());
    from.on('close', () => to.destroy());
    from.pipe(to);
  }
}

/** An authority, and certificates of it for a server at 127.0.0.1 and for a client, named as Docker wants them. */
async function makeCertificates(folder: string): Promise<void> {
  const script = `
    make() { openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 "$@"; }
    make -keyout ca-key.pem -out ca.pem -subj /CN=authority
    set -- -CA ca.pem -CAkey ca-key.pem
    make "$@" -keyout server-key.pem -out server-cert.pem -subj /CN=server -addext subjectAltName=IP:127.0.0.1
    make "$@" -keyout key.pem -out cert.pem -subj /CN=client -addext extendedKeyUsage=clientAuth`;
  // The image has openssl; this host may not.
  const user = `${process.getuid?.()}:${process.getgid?.()}`;
  await docker('run', '--rm', '-u', user, '-v', `${folder}:/c`, '-w', '/c', 'postgres:17', 'sh', '-ec', script);
}
