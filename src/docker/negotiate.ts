import { LifeboatError } from '../domain/errors.ts';
import type { EngineFacts } from './api.ts';

/** The newest API version the tests have seen; a newer Engine is asked to speak this one. */
export const newestTested = '1.51';
/** Below this there is no `platform`, no wait conditions and no explicit mounts (Engine 20.10 speaks 1.41). */
export const oldestSupported = '1.41';

interface VersionAnswer {
  readonly Version: string;
  readonly ApiVersion: string;
  readonly MinAPIVersion?: string;
  readonly Components?: readonly { readonly Name: string }[];
}

/**
 * Asks the Engine, unversioned, what it speaks, and picks the newest version both sides know. An explicit version wins.
 * Rejects DOCKER_REFUSED when there is none.
 */
export async function negotiate(ask: () => Promise<unknown>, wanted: string | undefined): Promise<EngineFacts> {
  const answer = (await ask()) as VersionAnswer;
  const product = answer.Components?.some((component) => component.Name === 'Podman Engine') ? 'Podman' : 'Docker';
  const apiVersion =
    wanted?.replace(/^v/, '') ?? (older(answer.ApiVersion, newestTested) ? answer.ApiVersion : newestTested);
  if (!wanted && older(apiVersion, oldestSupported)) {
    throw new LifeboatError(
      'DOCKER_REFUSED',
      `${product} ${answer.Version} speaks API ${answer.ApiVersion}, Lifeboat needs ${oldestSupported}`,
      {
        hint: 'update the Engine to 20.10 or later',
      },
    );
  }
  if (answer.MinAPIVersion && older(apiVersion, answer.MinAPIVersion)) {
    throw new LifeboatError(
      'DOCKER_REFUSED',
      `${product} ${answer.Version} no longer speaks API ${apiVersion} (at least ${answer.MinAPIVersion})`,
      {
        hint: wanted ? 'remove DOCKER_API_VERSION' : 'update Lifeboat',
      },
    );
  }
  return { product, version: answer.Version, apiVersion };
}

function older(a: string, b: string): boolean {
  const [aMajor = 0, aMinor = 0] = a.split('.').map(Number);
  const [bMajor = 0, bMinor = 0] = b.split('.').map(Number);
  return aMajor === bMajor ? aMinor < bMinor : aMajor < bMajor;
}
