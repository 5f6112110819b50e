import { LifeboatError } from '../domain/errors.ts';
import type { ListPage, S3Wire, UploadMarker, UploadRef } from './s3-wire.ts';

/** All objects below a prefix, page by page: complete, or it throws. */
export async function* s3Objects(wire: S3Wire, prefix: string, signal: AbortSignal) {
  for await (const page of pages(wire, prefix, false, signal)) yield* page.objects;
}

/** Names of the folders directly below a prefix. */
export async function s3Folders(wire: S3Wire, prefix: string, signal: AbortSignal): Promise<string[]> {
  const names = new Set<string>();
  for await (const page of pages(wire, prefix, true, signal)) {
    for (const folder of page.folders) names.add(folder.slice(prefix.length, -1));
  }
  return [...names];
}

async function* pages(wire: S3Wire, prefix: string, folders: boolean, signal: AbortSignal): AsyncGenerator<ListPage> {
  const seen = new Set<string>();
  for (let token: string | undefined; ; ) {
    const page = await wire.list({ prefix, folders, token }, signal);
    yield page;
    if (!page.isTruncated) return;
    // Retention decides by listings: one that ends early or turns in a circle must not look complete.
    if (page.token === undefined || seen.has(page.token)) throw incomplete(prefix);
    token = page.token;
    seen.add(token);
  }
}

/** All uploads below a prefix that nobody completed or aborted. */
export async function* s3Uploads(
  wire: S3Wire,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<UploadRef & { readonly startedAt: Date }> {
  const seen = new Set<string>();
  for (let after: UploadMarker | undefined; ; ) {
    const page = await wire.listUploads(prefix, after, signal);
    yield* page.uploads;
    if (!page.isTruncated) return;
    const next = page.after && JSON.stringify(page.after);
    if (next === undefined || seen.has(next)) throw incomplete(prefix);
    after = page.after;
    seen.add(next);
  }
}

function incomplete(prefix: string): LifeboatError {
  return new LifeboatError(
    'STORE_UNAVAILABLE',
    `the server broke off the listing of "${prefix}" and does not say where to go on`,
    {
      hint: 'nothing is decided by a listing that is not complete; this storage has a defect',
    },
  );
}
