import { LifeboatError } from '../domain/errors.ts';

const unreachable = new Set([
  'ECONNREFUSED',
  'ENOENT',
  'ECONNRESET',
  'ETIMEDOUT',
  'EHOSTUNREACH',
  'ENOTFOUND',
  'EPIPE',
]);

/** What a client of an Engine with TLS needs; also the hint where a port may speak TLS or refuse our certificate. */
export const certificatesHint =
  'an Engine with TLS needs DOCKER_CERT_PATH: a folder with its ca.pem and a cert.pem and key.pem that it trusts';

/** What to do about an Engine that answers no more. */
export const busyHint =
  'the host is overloaded, or its Engine hangs: docker ps must answer at once there; lifeboat doctor tries every call';

const logHint = 'the log of the Engine on its host tells more: journalctl -u docker; lifeboat doctor tries every call';

/** What a failed Engine call means; `title` is the endpoint, so that a socket proxy's owner knows what to allow. */
export function callFailed(title: string, thrown: unknown): LifeboatError {
  if (thrown instanceof LifeboatError) return thrown;
  const error = thrown as { statusCode?: number; code?: string; message?: string; name?: string; json?: unknown };
  if (error.name === 'AbortError') return new LifeboatError('CANCELLED', `${title} was cancelled`, { cause: thrown });
  // The library's own "reason" is wrong for many endpoints; the Engine's message is in the body.
  const said = ((error.json as { message?: string } | null)?.message ?? error.message ?? '').trim();
  // Proxies that filter by method say 405; the Engine has every method that is called.
  if (error.statusCode === 403 || error.statusCode === 405) {
    return new LifeboatError('DOCKER_REFUSED', `the socket proxy does not allow ${withoutIds(title)}`, {
      hint: 'allow this endpoint in the proxy; docs/how-to/socket-proxy.md lists what each feature needs',
      cause: thrown,
    });
  }
  if (error.statusCode !== undefined) {
    return new LifeboatError(
      'DOCKER_REFUSED',
      `the Engine refused ${withoutIds(title)} (${error.statusCode}): ${said}`,
      {
        hint: logHint,
        retryable: error.statusCode >= 500,
        context: { status: error.statusCode },
        cause: thrown,
      },
    );
  }
  if (error.code === 'EACCES') {
    return new LifeboatError('DOCKER_UNAVAILABLE', 'no permission to use the Docker socket', {
      hint: 'give the sidecar the socket\'s group: group_add: ["$(stat -c %g /var/run/docker.sock)"]',
      cause: thrown,
    });
  }
  if (error.code !== undefined && unreachable.has(error.code)) {
    return new LifeboatError('DOCKER_UNAVAILABLE', `the Docker Engine does not answer (${error.code})`, {
      hint: `mount /var/run/docker.sock into the sidecar, or set DOCKER_HOST${error.code === 'ECONNRESET' ? `; ${certificatesHint}` : ''}`,
      retryable: true,
      cause: thrown,
    });
  }
  const hint = /certificate|^ERR_(SSL|TLS)/.test(`${error.code} ${said}`) ? certificatesHint : logHint;
  return new LifeboatError('DOCKER_UNAVAILABLE', `${withoutIds(title)} failed: ${said}`, { hint, cause: thrown });
}

function withoutIds(title: string): string {
  return title.replace(/\b[0-9a-f]{64}\b/g, '{id}');
}
