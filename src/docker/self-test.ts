import type { Check } from '../domain/check.ts';
import type { Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';
import { bounded } from './bounded.ts';
import { demux } from './demux.ts';

const callMs = 5_000;
/** Several calls, and a container that starts. */
const helperMs = 20_000;
const category = 'engine';
const sent = 1024 * 1024;

/** An exec in our own container whose exit code must come back as it was. */
export async function checkExec(shell: Shell, signal: AbortSignal): Promise<Check> {
  const base = { category, name: 'exec works' };
  const command = { argv: ['sh', '-c', 'echo heard; exit 7'] } as const;
  const { value, error } = await bounded(callMs, signal, (late) => shell.run(command, undefined, late));
  if (error) return { ...base, status: 'fail', message: error.message, hint: error.hint };
  if (value.exitCode === 7 && value.stdout.trim() === 'heard')
    return { ...base, status: 'pass', message: 'output and exit code of a command came back whole' };
  const message = `a command that ends with exit code 7 gave ${value.exitCode} and ${JSON.stringify(value.stdout)}`;
  return { ...base, status: 'fail', message, hint: proxyHint };
}

/**
 * Closing standard input must reach the command while its output stays open: a megabyte through `cat`, then the end. Some
 * proxies swallow the end, others close both directions.
 */
export async function checkHalfClose(api: DockerApi, self: Container, signal: AbortSignal): Promise<Check> {
  const base = { category, name: 'half-close' };
  let bytes = 0;
  const { error } = await bounded(callMs, signal, async (late) => {
    const socket = await api.startExec(await api.createExec(self.id, { argv: ['cat'] }, late), late);
    late.addEventListener('abort', () => socket.destroy(), { once: true });
    socket.on('error', () => {}); // Whoever reads meets it.
    socket.end(Buffer.alloc(sent, 'x'));
    for await (const piece of demux(socket)) bytes += piece.bytes.length;
    socket.destroy();
  });
  if (!error && bytes === sent)
    return { ...base, status: 'pass', message: 'a command sees the end of its input and can still answer' };
  const isOpen = error?.message.startsWith('no answer') && bytes === sent;
  const message = isOpen
    ? `a command never saw the end of its input within ${callMs / 1000} s: restores would wait for ever`
    : `${bytes} of ${sent} bytes came back after the end of the input${error ? `: ${error.message}` : ''}`;
  return { ...base, status: 'fail', message, hint: error?.hint ?? proxyHint };
}

/** A helper of our own image is made, runs and is removed. */
export async function checkHelper(shell: Shell, signal: AbortSignal): Promise<Check> {
  const base = { category, name: 'helper works' };
  const command = { argv: ['true'], place: { kind: 'helper', image: 'own', network: 'none' } } as const;
  const { value, error } = await bounded(helperMs, signal, (late) => shell.run(command, undefined, late));
  if (error) return { ...base, status: 'warn', message: error.message, hint: error.hint ?? helperHint };
  if (value.exitCode === 0) return { ...base, status: 'pass', message: 'a container was made, run and removed' };
  return { ...base, status: 'warn', message: `it ended with exit code ${value.exitCode}`, hint: helperHint };
}

/** A helper writes into a named pipe on the shared volume; `read` gives what comes out of the descriptor. */
export async function checkPipe(
  shell: Shell,
  read: (descriptor: number, signal: AbortSignal) => Promise<string>,
  signal: AbortSignal,
): Promise<Check> {
  const base = { category, name: 'pipe path' };
  const why = shell.whyNoPipes();
  const slower = 'large dumps go through slow execs';
  if (why !== undefined) return { ...base, status: 'warn', message: `${why}: ${slower}`, hint: pipeHint };
  const { value, error } = await bounded(helperMs, signal, async (late) => {
    await using piped = await shell.pipe({
      argv: ['echo', 'heard'],
      place: { kind: 'helper', image: 'own', network: 'none' },
    });
    const reading = read(piped.fd, late);
    reading.catch(() => {}); // Read below.
    await piped.run(late);
    return await reading;
  });
  if (value?.trim() === 'heard')
    return {
      ...base,
      status: 'pass',
      message: 'a volume was mounted into a helper, and bytes came through a pipe on it',
    };
  const message = `${error?.message ?? 'nothing came through the pipe'}: ${slower}`;
  return { ...base, status: 'warn', message, hint: error?.hint ?? pipeHint };
}

// --- utils ---

const proxyHint =
  'a proxy between Lifeboat and the Engine does not pass raw connections as they are; use another one, or the socket itself';
const helperHint =
  'see docker events while lifeboat doctor runs; docs/how-to/socket-proxy.md says what works without helpers';
const pipeHint =
  'mount a volume at /run/lifeboat as docker-compose.backup.yml does, and use an Engine of version 26 or later';
