import type { Readable } from 'node:stream';
import type { ZodType } from 'zod';
import type { Artifact, Counts, Manifest } from '../domain/manifest.ts';
import type { Command, Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';

/**
 * The engine contract. An engine knows how to dump, prove and restore one kind of data; it reaches the world only
 * through the shell it is given, decides nothing about codecs, stores or schedules, and never logs.
 * To add one: a file or folder here, a line in `index.ts`, a unit test that calls the contract suite, one end-to-end
 * scenario and a page in docs/how-to.
 */
export interface Engine<O = unknown> {
  /** Name of the source, of the label group (`lifeboat.<name>.<option>`) and in manifests. */
  readonly name: string;
  /** The engine's own options as a strict zod object; every key is documented with `.describe()`. */
  readonly options: ZodType<O>;
  /** Pure: does this container hold data of this kind? Looks at image, environment, command and labels only. */
  recognise(container: Container): boolean;
  /** Recognising is only a guess: the survey tells whether there is anything to save, and no items means no source. */
  readonly guesses?: boolean;
  /**
   * The same engine, which leaves to these other sources of the container what they save. Asked once all are known; absent
   * where nobody else could save the same.
   */
  beside?(others: readonly Neighbour[]): Engine<O>;
  /** Paths in the container that the dump replaces, so that a file copy of them is not wanted. */
  dataPaths(container: Container): readonly string[];
  /** Asks the running server who it is and what it holds. Rejects with TOOL_MISSING, LOGIN_FAILED or COMMAND_FAILED. */
  survey(shell: Shell, options: O, signal: AbortSignal): Promise<Survey>;
  /**
   * Yields one dump per artifact. The bytes must have been read to their end (or given up) before the next one is asked
   * for; whatever the engine holds open (a snapshot, a lock) it releases when it is resumed or closed.
   */
  dump(shell: Shell, survey: Survey, options: O, policy: DumpPolicy, signal: AbortSignal): AsyncIterable<Dump>;
  /**
   * Reads the plain bytes to their end and proves that they are whole and of the right kind, without the live server's
   * data. Rejects with PROOF_FAILED. May stop reading early only by rejecting.
   */
  prove(shell: Shell, artifact: ArtifactFacts, plain: Readable, options: O, signal: AbortSignal): Promise<Proof>;
  /** After all artifacts were dumped and proved: is the whole believable (logic seal)? Rejects with PROOF_FAILED. */
  review(
    shell: Shell,
    survey: Survey,
    artifacts: readonly ReviewedArtifact[],
    options: O,
    signal: AbortSignal,
  ): Promise<Review>;
  /** What a restore would do, for the plan a person confirms. Touches nothing. */
  preview(
    shell: Shell,
    manifest: Manifest,
    target: RestoreTarget,
    options: O,
    signal: AbortSignal,
  ): Promise<RestorePreview>;
  /** Whether this artifact is restored faster from a file that a helper can mount; such a file then comes with its bytes. */
  loadsFromFile?(artifact: ArtifactFacts): boolean;
  /**
   * Stages beside the live data, checks the staged copy against the manifest, then switches. When it rejects before
   * `steps.switching()` was called the live data is untouched.
   */
  restore(
    shell: Shell,
    from: RestoreSource,
    target: RestoreTarget,
    options: O,
    steps: RestoreSteps,
    signal: AbortSignal,
  ): Promise<Restored>;
  /**
   * Cleans up after a restore that was killed: what was staged is removed, and when the switch had begun, the live data is
   * as it was before, or wholly restored. Doing it twice does no harm. Rejects when it cannot be done now, or a person has
   * to look.
   */
  recover(shell: Shell, unfinished: Unfinished, options: O, signal: AbortSignal): Promise<Recovered>;
  /** The line a person types to restore one artifact without Lifeboat; reads the plain bytes on standard input. */
  byHand(container: Container, artifact: ArtifactFacts, options: O): string;
}

/** Another source of the same container. */
export interface Neighbour {
  /** As people know it: `app/sqlite`. */
  readonly name: string;
  readonly engine: Engine;
  /** Its own options, parsed. */
  readonly options: unknown;
}

/** What the user wants of a dump whatever the engine. */
export interface DumpPolicy {
  /** `auto` counts exactly up to a size and time limit, else takes the server's own numbers. */
  readonly counts: 'exact' | 'catalogue' | 'auto';
  /** Artifacts of so many bytes of live data are fetched by a helper at a pipe where that can be; undefined: none are. */
  readonly pipeFromBytes?: number | undefined;
}

/** What an engine found out about a running server before dumping it. */
export interface Survey {
  readonly product: string;
  readonly version: string;
  /** Tells this server from any other; must be the same before and after a dump. */
  readonly identity: string;
  readonly tool: { readonly name: string; readonly version: string };
  /** What will be dumped, in order. */
  readonly items: readonly SurveyItem[];
  /** What was left out, and why; shown by `plan`. */
  readonly left: readonly { readonly name: string; readonly why: string }[];
  readonly warnings: readonly string[];
  /** What a restore gets, in one phrase. */
  readonly consistency: string;
  /** The engine's own notes from survey to dump and review; never stored. */
  readonly notes?: unknown;
}

export interface SurveyItem {
  readonly name: string;
  readonly kind: string;
  /** Size of the live data in bytes as the server reports it, when it does. */
  readonly bytes?: number | undefined;
}

/** One artifact on its way: its facts and how its bytes come. */
export interface Dump extends ArtifactFacts {
  readonly produce: Produce;
  /** Counts taken in the same snapshot; settles while the dump is read. */
  readonly counts?: Promise<readonly Counts[]>;
  /** Hears what the prover found, before the next dump is asked for. */
  readonly proved?: (proof: Proof) => void;
}

/** What identifies an artifact and what its restore needs; goes into the manifest. */
export interface ArtifactFacts {
  readonly name: string;
  readonly kind: string;
  /** File name extension of the plain bytes, without a dot. */
  readonly extension: string;
  readonly facts: Readonly<Record<string, unknown>>;
}

/** How the bytes of a dump come. */
export type Produce =
  /**
   * Standard output of a command. `exec` runs in the container itself and always works; `helper` is the better way where
   * helpers may be made: over the container's network for the pipe path, from its mounted volume for the file path.
   */
  | {
      readonly from: 'command';
      readonly exec: Command;
      readonly helper?: {
        readonly path: 'pipe' | 'file';
        readonly command: Command;
        /**
         * Why it must not be taken: it is not let in, or reaches another server than was surveyed. Undefined when it may.
         * Asked once, before the first dump that could come this way.
         */
        readonly whyNot?: (signal: AbortSignal) => Promise<string | undefined>;
      };
    }
  /** Bytes the engine makes itself, small ones only. */
  | { readonly from: 'text'; readonly text: string };

/** What the prover found. */
export interface Proof {
  /** One phrase for the structure seal, e.g. `pg_restore read every block`. */
  readonly method: string;
  readonly counts: readonly Counts[];
  /** A list of what is in it, for an artifact of its own. */
  readonly list?: string | undefined;
}

export interface ReviewedArtifact extends ArtifactFacts {
  readonly plainBytes: number;
  readonly counts: readonly Counts[];
}

export interface Review {
  /** One phrase for the logic seal. */
  readonly method: string;
  readonly warnings: readonly string[];
  /** What is not in it as it should be, one line each: a backup that is worth keeping, and only partial. */
  readonly lacks?: readonly string[];
}

export interface RestoreTarget {
  /** Restore beside the live data under this name, without switching. */
  readonly as?: string | undefined;
  /** Only these artifacts (by name); absent means all. */
  readonly only?: readonly string[] | undefined;
  /** Unique suffix for names made during this restore. */
  readonly suffix: string;
}

export interface RestorePreview {
  /** What is replaced, made or left alone, one line each. */
  readonly lines: readonly string[];
  /** Reasons why this restore must not be done; empty when it may. */
  readonly refusals: readonly string[];
  readonly warnings: readonly string[];
  /**
   * Files and folders in the container of which new ones take the name: who has the old ones open in another container must
   * be out of the way. Absent where the server itself takes the data.
   */
  readonly replaces?: readonly string[];
  /**
   * The engine's options for a backup of what this restore replaces, also of what today's leave out; absent where today's
   * will do.
   */
  readonly saving?: unknown;
}

/** Where restored bytes come from: an already proved backup. */
export interface RestoreSource {
  readonly manifest: Manifest;
  /** The plain bytes of one artifact, some of them on disk; the stream fails when they are not the ones the manifest names. */
  open(artifact: Artifact, signal: AbortSignal): Promise<Readable>;
}

/** How an engine tells the run where it is. */
export interface RestoreSteps {
  staging(detail: string): void;
  checking(detail: string): void;
  /**
   * Called right before live data is touched. `undo` is what `recover` would need if this process died now, as JSON; it is
   * on disk when this resolves.
   */
  switching(detail: string, undo: unknown): Promise<void>;
}

/** A restore that was killed, as the journal tells of it. */
export interface Unfinished {
  /** The suffix of the names that it made. */
  readonly suffix: string;
  /** What `switching` was told; absent when live data was not touched yet. */
  readonly undo?: unknown;
}

/** How the live data is after a restore that did not come to its end. */
export interface Recovered {
  /**
   * As it was `before`; wholly `restored`; `either`, whole, but which of them cannot be told any more; `half` of each, or
   * `unknown` whether it is: then only another restore puts it right.
   */
  readonly live: 'before' | 'restored' | 'either' | 'half' | 'unknown';
  /** What was found, one phrase. */
  readonly found: string;
}

export interface Restored {
  /** What was compared with the manifest, one line each. */
  readonly checks: readonly string[];
  readonly warnings: readonly string[];
  /** What was kept of the data before, each with the command that removes it (`noLongerNeeded`). */
  readonly kept: readonly string[];
}

/** How a line of `kept` ends: with the command that a person types on the host. */
export function noLongerNeeded(command: string): string {
  return `when you no longer need it: ${command}`;
}
