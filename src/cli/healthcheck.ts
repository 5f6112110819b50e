import { connect } from 'node:net';
import { controlSocketVariable, usualControlSocket } from '../domain/wire.ts';

const patienceMs = 5_000;

/**
 * `lifeboat healthcheck`, for Docker: 0 when the daemon says it is well, else 1 with the reasons on standard output, which
 * `docker inspect` shows. By hand over the bare socket: it runs every minute and should cost next to nothing.
 */
export async function healthcheck(): Promise<0 | 1> {
  const path = process.env[controlSocketVariable] || usualControlSocket;
  const answer = await ask(path).catch((error: NodeJS.ErrnoException) => `the daemon does not answer (${error.code})`);
  const [head = '', body = ''] = answer.split('\r\n\r\n');
  const isHealthy = /^HTTP\/1\.1 200 /.test(head);
  process.stdout.write(`${isHealthy ? 'healthy' : body === '' ? head : problemsIn(body)}\n`);
  return isHealthy ? 0 : 1;
}

function problemsIn(body: string): string {
  const { problems } = JSON.parse(body) as { problems: readonly { readonly message: string }[] };
  return problems.map(({ message }) => message).join('; ');
}

function ask(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let answer = '';
    socket.setTimeout(patienceMs, () => {
      socket.destroy(Object.assign(new Error('no answer in time'), { code: 'ETIMEDOUT' }));
    });
    socket.setEncoding('utf8');
    socket.on('data', (chunk: string) => {
      answer += chunk;
    });
    socket.on('error', reject);
    socket.on('end', () => resolve(answer));
    socket.write('GET /healthz HTTP/1.0\r\n\r\n');
  });
}
