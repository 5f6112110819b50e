import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { LifeboatError } from '../domain/errors.ts';
import { certificatesHint } from './call-failure.ts';

/** Where the Engine answers, and how it is to be spoken to. */
export interface DockerAddress {
  /** `unix:///var/run/docker.sock`, `tcp://host:2375`; absent means DOCKER_HOST or the usual socket. */
  readonly host?: string | undefined;
  readonly certPath?: string | undefined;
  readonly tlsVerify?: boolean | undefined;
  /** Forces an API version; absent means the newest both sides know. */
  readonly apiVersion?: string | undefined;
}

/**
 * Everything is given explicitly: left alone, docker-modem prefers a socket in the home folder, takes any port 2376 for
 * TLS and lets DOCKER_CLIENT_TIMEOUT cut quiet connections.
 */
export function connectionOptions({ host, certPath, tlsVerify }: DockerAddress) {
  const url = host || 'unix:///var/run/docker.sock';
  if (url.startsWith('unix://')) return { socketPath: url.slice('unix://'.length), timeout: undefined as never };
  if (!/^(tcp|http|https):\/\//.test(url)) {
    throw new LifeboatError('DOCKER_UNAVAILABLE', `DOCKER_HOST "${url}" is not understood`, {
      hint: 'use unix:///path/to/docker.sock or tcp://host:port',
    });
  }
  const { hostname, port, protocol } = new URL(url.replace(/^tcp:/, 'http:'));
  const secure = tlsVerify === true || certPath !== undefined || protocol === 'https:';
  return {
    host: hostname,
    port: Number(port || (secure ? 2376 : 2375)),
    protocol: secure ? ('https' as const) : ('http' as const),
    timeout: undefined as never,
    ...(secure && certPath
      ? {
          ca: certificate(certPath, 'ca.pem'),
          cert: certificate(certPath, 'cert.pem'),
          key: certificate(certPath, 'key.pem'),
        }
      : {}),
  };
}

// --- utils ---

function certificate(folder: string, name: string): never {
  try {
    return readFileSync(join(folder, name)) as never; // The types of the library ask for text; Node takes both.
  } catch (error) {
    const what = `the Engine's certificates cannot be read: ${(error as Error).message}`;
    throw new LifeboatError('DOCKER_UNAVAILABLE', what, { hint: certificatesHint, cause: error });
  }
}
