import { text } from 'node:stream/consumers';
import { encodeChain } from '../codecs/chain.ts';
import type { Settings } from '../config/settings.ts';
import { connectDocker } from '../docker/dockerode.ts';
import { checkPermissions } from '../docker/permissions.ts';
import { createQuiescer } from '../docker/quiesce.ts';
import { checkExec, checkHalfClose, checkHelper, checkPipe } from '../docker/self-test.ts';
import { createShell } from '../docker/shell.ts';
import { checkSocket, checkVersion } from '../docker/socket-check.ts';
import type { Check } from '../domain/check.ts';
import { asLifeboatError } from '../domain/errors.ts';
import type { Journal } from '../domain/journal.ts';
import { newId } from '../domain/naming.ts';
import { addressOf, linkEngine } from './engine-link.ts';

/** Nothing is stopped or paused here. */
const unused: Journal = { intend: async () => async () => {} };

/**
 * Tries everything that Lifeboat needs of the Engine, on nothing but its own container and helpers of its own: the daemon
 * does it when it starts, `lifeboat doctor` when asked. Never rejects but when the signal fires.
 */
export async function examineEngine(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const address = addressOf(settings, environment);
  const connected = await connectDocker(address).then(
    (api) => ({ api, error: undefined }),
    (error: unknown) => ({ api: undefined, error: asLifeboatError(error) }),
  );
  const socket = await checkSocket(address.host, connected.error);
  const { api } = connected;
  if (!api) return [socket];
  const permissions = await checkPermissions(api, signal);
  const checks = [socket, checkVersion(api.engine), ...permissions];
  try {
    return [...checks, ...(await tryOnSelf(settings, environment, signal))];
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = asLifeboatError(error);
    return [...checks, { category: 'engine', name: 'own container', status: 'fail', message, hint }];
  }
}

// --- utils ---

async function tryOnSelf(
  settings: Settings,
  environment: NodeJS.ProcessEnv,
  signal: AbortSignal,
): Promise<readonly Check[]> {
  const { api, self, owner } = await linkEngine(settings, environment);
  const base = { category: 'engine', name: 'own container' };
  if (!self) {
    const message = 'Lifeboat does not run in a container of this Engine: exec, helpers and pipes were not tried';
    return [{ ...base, status: 'warn', message, hint: 'run it as docker-compose.backup.yml does' }];
  }
  const known: Check = {
    ...base,
    status: 'pass',
    message: `${self.name}, service ${self.service} of stack ${self.stack}`,
  };
  const shell = createShell(api, { ...owner, run: newId(new Date()) }, createQuiescer(api, unused), self, 0);
  const read = (descriptor: number, late: AbortSignal) => text(encodeChain([], late, descriptor).output);
  return [
    known,
    await checkExec(shell, signal),
    await checkHalfClose(api, self, signal),
    await checkHelper(shell, signal),
    await checkPipe(shell, read, signal),
  ];
}
