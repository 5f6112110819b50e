import type { Container } from '../../domain/types.ts';
import { lastOf, launchOf } from './directives.ts';

/** Last path component of an image name, without tag and digest: a server, not one of its many companions. */
const imagePattern =
  /(?:^|\/)(?:[\w.-]*[-_.])?(?:redis|redis-stack|redis-stack-server|redis-server|redismod|valkey|valkey-bundle|valkey-server|falkordb|falkordb-server|keydb)(?:-(?:cluster|alpine|server))?(?:[:@]|$)/;
/** Programs of the same images that hold no data. */
const otherProgram = /(?:^|\/)(?:redis|valkey|keydb)-(?:cli|sentinel|benchmark|check-aof|check-rdb)$/;

/** Whether a server runs here that reads and writes RDB files. Pure. */
export function recognise(container: Container): boolean {
  const launch = launchOf(container);
  if (container.command.includes('--sentinel')) return false;
  if (launch.namesServer) return true;
  if (container.command.slice(0, 3).some((word) => otherProgram.test(word))) return false;
  if (imagePattern.test(container.image)) return true;
  // Children of the official images keep the variables of their build, whatever they are called.
  const { env } = container;
  return ['REDIS_DOWNLOAD_URL', 'VALKEY_DOWNLOAD_URL', 'FALKORDB_DATA_PATH'].some((name) => env[name] !== undefined);
}

/** Folders where the server keeps its data, as far as the container tells without being asked. */
export function dataPaths(container: Container): readonly string[] {
  const { env, command } = container;
  const told = lastOf(launchOf(container).directives, 'dir');
  const known = [env.REDIS_DATA_DIR, env.VALKEY_DATA_DIR, env.FALKORDB_DATA_PATH, told];
  const isBitnami = command.some((word) => word.startsWith('/opt/bitnami/'));
  const usual = isBitnami ? ['/bitnami/redis/data', '/bitnami/valkey/data'] : ['/data'];
  return [...new Set([...known, ...usual].filter((path) => path?.startsWith('/')))].filter(
    (path) => path !== undefined,
  );
}
