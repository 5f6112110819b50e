/** The few calls of the S3 protocol the store is built on, in our words. Every call is retried and rejects with LifeboatErrors. */
export interface S3Wire {
  /** One object by one request. Rejects OBJECT_EXISTS when `ifAbsent` and it is there. */
  put(key: string, bytes: Uint8Array, options: WriteOptions & Checks, signal: AbortSignal): Promise<void>;
  createUpload(key: string, options: WriteOptions & { readonly crc32: boolean }, signal: AbortSignal): Promise<string>;
  putPart(part: PartRequest, bytes: Uint8Array, checks: Checks, signal: AbortSignal): Promise<string>;
  /** Rejects OBJECT_EXISTS when `ifAbsent` and it is there, OBJECT_NOT_FOUND when there is no such upload (any more). */
  completeUpload(upload: UploadRef, parts: readonly Part[], ifAbsent: boolean, signal: AbortSignal): Promise<void>;
  /** An upload that is gone is success. */
  abortUpload(upload: UploadRef, signal: AbortSignal): Promise<void>;
  head(key: string, signal: AbortSignal): Promise<Head | undefined>;
  /** Rejects OBJECT_NOT_FOUND; OBJECT_EXISTS stands for "no longer the object with this etag". Not retried once it answered. */
  get(key: string, range: { readonly from: number; readonly etag?: string }, signal: AbortSignal): Promise<Content>;
  list(page: ListRequest, signal: AbortSignal): Promise<ListPage>;
  listUploads(prefix: string, after: UploadMarker | undefined, signal: AbortSignal): Promise<UploadPage>;
  /** A missing object is success. */
  remove(key: string, signal: AbortSignal): Promise<void>;
}

export interface WriteOptions {
  readonly ifAbsent: boolean;
  /** Written to the object, so that we recognise our own after an answer was lost. */
  readonly token: string;
  /** Not retried: the failure is the answer. */
  readonly once?: boolean;
}

/** What the server is asked to check on arrival, base64. */
export interface Checks {
  readonly crc32?: string | undefined;
  readonly md5?: string | undefined;
}

export interface UploadRef {
  readonly key: string;
  readonly uploadId: string;
}

export interface PartRequest extends UploadRef {
  readonly number: number;
}

export interface Part {
  readonly number: number;
  readonly etag: string;
  readonly crc32?: string | undefined;
}

export interface Head {
  readonly bytes: number;
  readonly token?: string | undefined;
  /** As the server computed it: of the whole object, or `…-N` over the checksums of N parts. */
  readonly crc32?: string | undefined;
}

export interface Content {
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Bytes still to come. */
  readonly bytes: number;
  readonly etag: string | undefined;
}

export interface ListRequest {
  readonly prefix: string;
  readonly folders?: boolean;
  readonly token?: string | undefined;
  readonly atMost?: number;
}

export interface ListPage {
  readonly objects: readonly { readonly key: string; readonly bytes: number; readonly modifiedAt: Date }[];
  /** Common prefixes, each ending with a slash. */
  readonly folders: readonly string[];
  readonly isTruncated: boolean;
  readonly token?: string | undefined;
}

export interface UploadMarker {
  readonly key: string;
  readonly uploadId?: string | undefined;
}

export interface UploadPage {
  readonly uploads: readonly (UploadRef & { readonly startedAt: Date })[];
  readonly isTruncated: boolean;
  readonly after?: UploadMarker | undefined;
}
