import type { Socket } from 'node:net';
import type { Readable } from 'node:stream';
import type { Container } from '../domain/types.ts';

/**
 * The Engine in our own verbs and types: no dockerode type crosses this line. Every call has a deadline, and every error
 * is a LifeboatError: DOCKER_UNAVAILABLE (nobody answers), DOCKER_REFUSED (the Engine or a proxy said no), and whatever
 * the verb's comment names.
 */
export interface DockerApi {
  readonly engine: EngineFacts;
  /** The name of the host as the Engine tells it. */
  hostName(signal?: AbortSignal): Promise<string>;
  /** Ids of containers, also stopped ones, that carry all these labels (`key` or `key=value`). */
  containers(labels: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /** Undefined when it is gone. */
  container(id: string, signal?: AbortSignal): Promise<Container | undefined>;
  image(reference: string, signal?: AbortSignal): Promise<ImageFacts | undefined>;
  createExec(containerId: string, spec: ExecSpec, signal?: AbortSignal): Promise<string>;
  /** Starts it and hands out the raw connection, multiplexed. Rejects DOCKER_REFUSED when no raw connection came. */
  startExec(execId: string, signal?: AbortSignal): Promise<Socket>;
  /** Undefined when the Engine no longer knows it (its container was removed). */
  exec(execId: string, signal?: AbortSignal): Promise<ExecState | undefined>;
  createHelper(spec: HelperSpec, signal?: AbortSignal): Promise<string>;
  /** Raw connection to a container's standard streams; attach before start or the first bytes are lost. */
  attach(containerId: string, signal?: AbortSignal): Promise<Socket>;
  /** Starting a running container is success. */
  start(containerId: string, signal?: AbortSignal): Promise<void>;
  /** Stopping a stopped container is success. Resolves when it is dead. */
  stop(containerId: string, graceMs: number, signal?: AbortSignal): Promise<void>;
  /** Killing a dead or absent container is success. */
  kill(containerId: string): Promise<void>;
  pause(containerId: string, signal?: AbortSignal): Promise<void>;
  unpause(containerId: string, signal?: AbortSignal): Promise<void>;
  /** Resolves with the exit code of a started container, at once when it has ended already. No deadline of its own. */
  wait(containerId: string, signal?: AbortSignal): Promise<number>;
  /** Removes the container but never a volume; an absent one is success. */
  remove(containerId: string): Promise<void>;
  /** Whether the path exists in the container's file system, mounts included. */
  pathExists(containerId: string, path: string, signal?: AbortSignal): Promise<boolean>;
  /** A tar of the path; rejects OBJECT_NOT_FOUND. The container's lock is held until it was read. */
  archive(containerId: string, path: string, signal?: AbortSignal): Promise<Readable>;
  /** Unpacks a tar into a folder that exists. */
  putArchive(containerId: string, folder: string, tar: Readable, signal?: AbortSignal): Promise<void>;
  /** Names of volumes that carry all these labels. */
  volumes(labels: readonly string[], signal?: AbortSignal): Promise<readonly string[]>;
  /** An absent volume is success. */
  removeVolume(name: string): Promise<void>;
  /** Raw JSON lines of the Engine's events. */
  events(
    filters: Readonly<Record<string, readonly string[]>>,
    sinceSeconds: number | undefined,
    signal: AbortSignal,
  ): Promise<Readable>;
}

export interface EngineFacts {
  readonly product: 'Docker' | 'Podman';
  readonly version: string;
  /** The version both sides speak, e.g. `1.45`. */
  readonly apiVersion: string;
}

export interface ImageFacts {
  readonly id: string;
  readonly volumes: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  readonly user: string;
}

export interface ExecSpec {
  readonly argv: readonly string[];
  readonly env?: Readonly<Record<string, string>> | undefined;
  readonly user?: string | undefined;
  readonly cwd?: string | undefined;
}

export interface ExecState {
  readonly running: boolean;
  /** Undefined as long as it is not known; never to be read as 0. */
  readonly exitCode: number | undefined;
}

/** A short-lived container: no restart, no published port, no health check, read-only root, no capability but the named. */
export interface HelperSpec {
  readonly name: string;
  readonly imageId: string;
  readonly argv: readonly string[];
  readonly user?: string | undefined;
  /** `none` or `container:<id>`. */
  readonly network: string;
  readonly mounts: readonly {
    readonly type: 'volume' | 'bind';
    readonly source: string;
    readonly target: string;
    readonly readOnly: boolean;
    readonly subpath?: string;
  }[];
  /** Covered by an empty tmpfs each: the image's own volume paths, or each helper would leave an anonymous volume behind. */
  readonly tmpfs: readonly string[];
  /** A volume made with the helper for its /tmp, for more than memory should hold; it outlives the helper. */
  readonly scratchVolume?: string | undefined;
  readonly capabilities: readonly string[];
  readonly usernsMode: string;
  readonly memoryBytes: number;
  readonly labels: Readonly<Record<string, string>>;
}
