import { exitCodes } from '../domain/errors.ts';
import type { LoneCommand } from './command.ts';

/** `lifeboat version`: what to say when something is wrong. */
export const showVersion: LoneCommand = async ({ output, version }) => {
  if (output.json) output.data({ lifeboat: version, node: process.versions.node });
  else output.print(`lifeboat ${version} (node ${process.versions.node})`);
  return exitCodes.ok;
};
