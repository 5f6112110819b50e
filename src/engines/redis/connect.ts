import type { Container } from '../../domain/types.ts';
import { type Directives, lastOf } from './directives.ts';
import type { RedisOptions } from './options.ts';

/** Arguments with which a client in the container reaches the server there. Nothing in them is secret. */
export function connectArguments(
  container: Pick<Container, 'env'>,
  options: RedisOptions,
  directives: Directives,
): readonly string[] {
  const { env } = container;
  const user = options.user === undefined ? [] : ['--user', options.user];
  const plainPort = lastOf(directives, 'port') ?? env.REDIS_PORT_NUMBER ?? env.VALKEY_PORT_NUMBER;
  const tlsPort = lastOf(directives, 'tls-port') ?? '0';
  const hasPlain = plainPort !== '0';
  const isTls = options.tls === 'on' || (options.tls === 'auto' && !hasPlain && tlsPort !== '0');
  const socket = lastOf(directives, 'unixsocket');
  if (!hasPlain && !isTls && options.port === undefined && socket !== undefined) return ['-s', socket, ...user];
  const port = options.port ?? (isTls && tlsPort !== '0' ? tlsPort : plainPort) ?? '6379';
  return ['-h', '127.0.0.1', '-p', String(port), ...user, ...(isTls ? tlsArguments(directives) : [])];
}

/**
 * Servers ask their clients for a certificate by default; the server's own is signed by the authority it trusts. Without
 * a known authority nothing is verified: the connection does not leave the container.
 */
function tlsArguments(directives: Directives): readonly string[] {
  const flag = (name: string, directive: string): readonly string[] => {
    const path = lastOf(directives, directive);
    return path === undefined || path === '' ? [] : [name, path];
  };
  const authority = [...flag('--cacert', 'tls-ca-cert-file'), ...flag('--cacertdir', 'tls-ca-cert-dir')];
  return [
    '--tls',
    ...(authority.length > 0 ? authority : ['--insecure']),
    ...flag('--cert', 'tls-cert-file'),
    ...flag('--key', 'tls-key-file'),
  ];
}
