import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import type { Container } from '../domain/types.ts';
import type { DockerApi } from './api.ts';

/** Folders that may hold the proof file: it must lie where the Engine sees it, so not on a tmpfs. */
const proofFolders = ['/run/lifeboat', '/data', '/var/tmp', '/tmp'];

/**
 * The container we run in, or undefined when we run on a host. Names and cgroups can name another container (with
 * `network_mode: service:x` they give x), so a candidate counts only when a file that we just wrote is found in it.
 */
export async function findSelf(api: DockerApi, override?: string): Promise<Container | undefined> {
  for (const candidate of await candidates(override)) {
    const container = await api.container(candidate);
    if (container && (await isProved(api, container.id))) return container;
  }
  return undefined;
}

async function candidates(override: string | undefined): Promise<readonly string[]> {
  const [mountinfo, cgroup] = await Promise.all(
    ['/proc/self/mountinfo', '/proc/self/cgroup'].map((path) => readFile(path, 'utf8').catch(() => '')),
  );
  // The line of /etc/hostname, never the first 64 hex digits: overlay layers look alike (docker-gen#356).
  const mount = (mountinfo ?? '').split('\n').find((line) => line.split(' ')[4] === '/etc/hostname');
  const ids = [override, /([0-9a-f]{64})/.exec(mount ?? '')?.[1], /([0-9a-f]{64})/.exec(cgroup ?? '')?.[1], hostname()];
  return [...new Set(ids.filter((id) => id !== undefined && id !== ''))] as string[];
}

async function isProved(api: DockerApi, id: string): Promise<boolean> {
  for (const folder of proofFolders) {
    const path = `${folder}/.lifeboat-${randomUUID()}`;
    const written = await writeFile(path, '', { flag: 'wx', mode: 0o600 }).then(
      () => true,
      () => false,
    );
    if (!written) continue;
    try {
      if (await api.pathExists(id, path)) return true;
    } finally {
      await rm(path, { force: true });
    }
  }
  return false;
}
