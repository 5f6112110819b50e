import { promptMs } from '../../domain/shell.ts';
import type { MysqlClient } from './client.ts';

/**
 * What tells this data folder from any other. MySQL keeps a UUID in it. MariaDB has no such variable: `server_uid` is made
 * from the network card and the port, so it changes with every new container. But its Aria engine, which the server's own
 * tables need, writes a UUID into its control file when the folder is made.
 */
export async function serverIdentity(client: MysqlClient, signal: AbortSignal): Promise<string> {
  const { server, shell } = client;
  if (server.product === 'MySQL') {
    const [row] = await client.rows<{ id: string }>({ id: '@@server_uuid' }, '', signal);
    return row?.id ?? '';
  }
  const path = `${server.folder}aria_log_control`;
  const argv = ['od', '-An', '-tx1', '-v', '-j4', '-N16', path] as const;
  const finished = await shell.run({ argv, user: '0', env: { LC_ALL: 'C' }, timeoutMs: promptMs }, undefined, signal);
  const uuid = finished.stdout.replaceAll(/\s/g, '');
  if (finished.exitCode === 0 && /^[0-9a-f]{32}$/.test(uuid)) return uuid;
  const printed = await client.run('SELECT @@global.server_uid;', { tolerant: true, signal });
  return printed.trim() || `${server.folder} on port ${server.port}`;
}
