/**
 * Terminology (the same in code, commands, documentation and screens)
 *
 * stack        a Compose project
 * service      as in Compose; container: one running instance of it
 * source       one thing to save: a service plus an engine, written `db/postgres`
 * engine       knows how to dump, prove and restore one kind of data
 * run          one execution over one or more sources
 * backup       what a run kept of one source: a manifest plus artifacts
 * set          all backups of one run: one restore point of the stack
 * artifact     one stored object
 * manifest     the JSON that makes a backup exist
 * catalog      all manifests of a destination
 * destination  a named place (a URL); store: the driver behind it
 * codec        one reversible stream step (zstd, gzip, age)
 * helper       short-lived container
 * journal      what we intend to undo
 */

/** One mount of a container, as the Engine reports it. */
export interface Mount {
  readonly type: 'volume' | 'bind' | 'tmpfs' | 'other';
  /** Volume name for volumes. */
  readonly name?: string | undefined;
  /** Path on the Engine's host. */
  readonly source?: string | undefined;
  /** Path inside the container. */
  readonly target: string;
  /** The folder of the volume that is mounted; absent means all of it. */
  readonly subpath?: string | undefined;
  readonly readOnly: boolean;
}

/** One entry of Compose's own `depends_on` label. */
export interface Dependency {
  readonly service: string;
  readonly condition: 'service_started' | 'service_healthy' | 'service_completed_successfully';
}

export type ContainerState = 'created' | 'running' | 'paused' | 'restarting' | 'removing' | 'exited' | 'dead';

/** A container beside us: what discovery read, in our words. Its environment may hold secrets: never print it. */
export interface Container {
  readonly id: string;
  readonly name: string;
  readonly stack: string;
  readonly service: string;
  /** Compose's container number; 1 for a service that is not scaled. */
  readonly number: number;
  /** The image as written in the Compose file. */
  readonly image: string;
  /** Content address of the image, `sha256:…`. */
  readonly imageId: string;
  readonly env: Readonly<Record<string, string>>;
  /** Labels that were given to the container. One with the value that the image has too counts as the image's. */
  readonly labels: Readonly<Record<string, string>>;
  /** Labels that come from the image: nothing is configured by them. */
  readonly imageLabels?: Readonly<Record<string, string>>;
  /** Entrypoint and command as they run. */
  readonly command: readonly string[];
  readonly user: string;
  readonly state: ContainerState;
  readonly health: 'starting' | 'healthy' | 'unhealthy' | undefined;
  readonly startedAt: string;
  readonly restartCount: number;
  readonly oomKilled: boolean;
  readonly mounts: readonly Mount[];
  /** Paths the image declares as volumes: a helper of this image must cover each or it leaks an anonymous volume. */
  readonly imageVolumes: readonly string[];
  readonly dependsOn: readonly Dependency[];
  readonly networkMode: string;
  readonly usernsMode: string;
}

/** How a source is written everywhere: `service/source`. */
export type SourceName = `${string}/${string}`;

/** Where a source lives, without anything that changes between runs. */
export interface SourceAddress {
  readonly stack: string;
  readonly service: string;
  readonly source: string;
}

/** How the bytes of a dump reached us (design: pipe, file or exec path). */
export type DataPath = 'pipe' | 'file' | 'exec';

export function sourceName(address: SourceAddress): SourceName {
  return `${address.service}/${address.source}`;
}
