import type { Backoff } from './backoff.ts';
import type { ChecksumMode } from './s3-checksum.ts';

export interface S3Keys {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

export interface S3Options {
  readonly bucket: string;
  /** Folder inside the bucket, without slashes at its ends; empty for the whole bucket. */
  readonly prefix?: string;
  /** `https://…` of a server other than Amazon's. */
  readonly endpoint?: string | undefined;
  /** With an endpoint `us-east-1`, else what the environment says, by default. */
  readonly region?: string | undefined;
  /** `endpoint/bucket` instead of `bucket.endpoint`; the default with an endpoint. */
  readonly forcePathStyle?: boolean | undefined;
  /** Keys, or a function that reads them again every few minutes. Absent: environment, shared files, the machine's role. */
  readonly credentials?: S3Keys | (() => Promise<S3Keys>) | undefined;
  readonly storageClass?: string | undefined;
  /** PEM of a certificate authority to trust besides the usual ones. */
  readonly ca?: string | undefined;
  readonly checksum?: ChecksumMode;
  readonly partBytes?: number;
  /** Parts on their way at once. */
  readonly queue?: number;
  /** Bytes of one object; larger artifacts become numbered objects. */
  readonly objectBytes?: number;
  readonly timeouts?: Partial<S3Timeouts>;
  readonly backoff?: Partial<Backoff>;
}

export interface S3Timeouts {
  readonly connectMs: number;
  /** Without a byte in either direction. */
  readonly idleMs: number;
  /** From the first byte of a request to the first of its answer; a part must get through in it. */
  readonly requestMs: number;
}

/** A part of 16 MiB gets through in ten minutes over 0.25 Mbit/s. */
export const defaultTimeouts: S3Timeouts = { connectMs: 10_000, idleMs: 120_000, requestMs: 600_000 };
