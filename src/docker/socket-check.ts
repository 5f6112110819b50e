import { stat } from 'node:fs/promises';
import type { Check } from '../domain/check.ts';
import type { LifeboatError } from '../domain/errors.ts';
import type { EngineFacts } from './api.ts';
import { newestTested, oldestSupported } from './negotiate.ts';

const category = 'engine';
const usualSocket = '/var/run/docker.sock';

/** Whether the Engine answers at this address; a unix socket with its owner and mode, and who we are. */
export async function checkSocket(host: string | undefined, error: LifeboatError | undefined): Promise<Check> {
  const base = { category, name: 'socket' };
  const path = socketPath(host);
  const owner = path === undefined ? '' : await describeSocket(path);
  const place = `${host || `unix://${usualSocket}`}${owner}`;
  if (!error) return { ...base, status: 'pass', message: `${place} answers` };
  return { ...base, status: 'fail', message: `${place}: ${error.message}`, hint: await hintFor(path, error) };
}

/** What the Engine is, and what it is too old for. */
export function checkVersion({ product, version, apiVersion }: EngineFacts): Check {
  const base = { category, name: 'version' };
  const range = `Lifeboat speaks ${oldestSupported} to ${newestTested}`;
  const message = `${product} ${version}, API ${apiVersion} (${range})`;
  if (product === 'Podman')
    return {
      ...base,
      status: 'warn',
      message,
      hint: 'Podman is not tested with this version; verify what you back up',
    };
  return { ...base, status: 'pass', message };
}

// --- utils ---

function socketPath(host: string | undefined): string | undefined {
  if (!host) return usualSocket;
  return host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
}

async function describeSocket(path: string): Promise<string> {
  try {
    const found = await stat(path);
    const mode = (found.mode & 0o7777).toString(8).padStart(4, '0');
    const kind = found.isSocket() ? '' : 'not a socket, ';
    return ` (${kind}uid ${found.uid}, gid ${found.gid}, mode ${mode}; we are ${whoWeAre()})`;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return code === 'ENOENT' ? ' (there is no such file)' : ` (${code})`;
  }
}

function whoWeAre(): string {
  const groups = process.getgroups?.() ?? [];
  return `uid ${process.getuid?.()}, gid ${process.getgid?.()}${groups.length > 0 ? `, groups ${groups.join(' ')}` : ''}`;
}

async function hintFor(path: string | undefined, error: LifeboatError): Promise<string | undefined> {
  if (error.code === 'DOCKER_REFUSED' && error.message.includes('/version'))
    return `allow it in the proxy (VERSION=1 with Tecnativa's)`;
  const found = path === undefined ? undefined : await stat(path).catch(() => undefined);
  const isMine = process.getuid?.() === 0 || process.getgroups?.().includes(found?.gid ?? -1);
  if (found?.isSocket() && !isMine) return `give the sidecar the group of the socket: group_add: ["${found.gid}"]`;
  return error.hint;
}
