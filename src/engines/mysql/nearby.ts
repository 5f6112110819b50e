import { asLifeboatError } from '../../domain/errors.ts';
import { otherServer } from '../reach.ts';
import type { MysqlClient } from './client.ts';
import { lines } from './rows.ts';

/**
 * Why a helper on the container's network must not make the dump; undefined when it may. It comes over TCP, where the same
 * name can be another account (`root@localhost` is not `root@%`), and where another server may listen.
 */
export async function whyNotNearby(client: MysqlClient, signal: AbortSignal): Promise<string | undefined> {
  const here = await standing(client, signal);
  try {
    const there = await standing(client.nearby(), signal);
    if (there.server !== here.server) return otherServer;
    if (there.rights === here.rights || (there.mayAll && here.mayAll)) return undefined;
    return `a helper comes as ${there.account}, which has other rights than ${here.account}`;
  } catch (thrown) {
    signal.throwIfAborted();
    return `a helper cannot log in: ${asLifeboatError(thrown).message.slice(0, 200)}`;
  }
}

/** What tells this server from any other, and what our account may do there. */
async function standing(client: MysqlClient, signal: AbortSignal) {
  const columns = {
    // MariaDB keeps no identity that SQL can see, but no two servers of one host began in the same second with the same facts.
    id:
      client.server.product === 'MySQL'
        ? '@@server_uuid'
        : "CONCAT(UNIX_TIMESTAMP() - (SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'UPTIME'))",
    host: '@@hostname',
    port: '@@port',
    folder: '@@datadir',
  };
  const [server] = await client.rows<Record<keyof typeof columns, string>>(columns, '', signal);
  const [about] = await client.rows<{ account: string }>({ account: 'CURRENT_USER()' }, '', signal);
  const grants = lines(await client.run('SHOW GRANTS;', { signal })).map(([grant]) => grant ?? '');
  const rights = grants
    .filter((grant) => !grant.startsWith('GRANT PROXY'))
    .map((grant) => grant.replace(/ (?:TO|FOR) .*$/s, ''));
  return {
    server: JSON.stringify(server),
    account: about?.account ?? '',
    rights: rights.toSorted().join('\n'),
    mayAll: rights.includes('GRANT ALL PRIVILEGES ON *.*'),
  };
}
