import type { Artifact } from '../../domain/manifest.ts';
import { shellQuote } from '../../domain/naming.ts';
import type { Shell } from '../../domain/shell.ts';
import { noLongerNeeded, type RestoreSource } from '../engine.ts';
import type { RdbFacts } from './facts.ts';
import type { Layout } from './server.ts';
import type { Staging } from './stage.ts';

/** One restore, as the ways of switching see it. */
export interface RestoreContext {
  readonly shell: Shell;
  readonly from: RestoreSource;
  readonly artifact: Artifact;
  readonly facts: RdbFacts;
  readonly layout: Layout;
  /** Name of the client program in the image. */
  readonly client: string;
  readonly suffix: string;
}

/** How staged data gets into the place of the present one. */
export interface Switch {
  /** Where the data is staged. Touches no data. */
  prepare(signal: AbortSignal): Promise<Staging>;
  /** Puts the staged data in place and keeps the present one; the container is stopped. */
  over(): Promise<void>;
  /** Puts the data from before back, however far `over` came; the container is stopped. */
  back(): Promise<void>;
  /** Removes what staging left; nothing of it is needed any more. */
  discard(): Promise<void>;
  /** Where the data from before is kept, for a person. */
  readonly kept: string;
}

/** What the journal keeps of a switch. */
export interface SwitchUndo {
  readonly folder: string;
  /** `uid:gid` of the data. */
  readonly owner: string;
  readonly parts: readonly string[];
}

/** The folder beside the data that a restore stages in, and the one that keeps what was there. */
export function foldersOf(folder: string, suffix: string): { readonly staged: string; readonly kept: string } {
  return { staged: `${folder}/.lifeboat-new-${suffix}`, kept: `${folder}/.lifeboat-prev-${suffix}` };
}

/** Where the data from before is, and how it goes. */
export function keptLine({ shell, layout }: RestoreContext, kept: string): string {
  const remove = `docker exec -u ${layout.owner} ${shellQuote(shell.container.name)} rm -r ${shellQuote(kept)}`;
  return `the data from before is kept in ${kept}; ${noLongerNeeded(remove)}`;
}

/** Everything a server may take its data from, the RDB file first: all of it goes, or what is left would win. */
export function partsOf({ file, appendFile, appendFolder }: Layout): readonly string[] {
  return [...new Set([file, appendFile, appendFolder])].filter((part) => part !== '');
}
