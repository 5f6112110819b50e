import { LifeboatError } from '../domain/errors.ts';
import { checkPrefix } from './key.ts';
import { createLocalStore } from './local.ts';
import { checkQuery, invalid, type Location, parseLocation, suggestion } from './location.ts';
import { createMemoryStore } from './memory.ts';
import { retrying } from './retrying.ts';
import type { S3Options } from './s3-options.ts';
import type { Store } from './store.ts';

/** What a destination's URL does not say because it is secret, or a file. */
export type StoreOptions = Pick<S3Options, 'credentials' | 'ca'>;

/** All drivers, by the scheme of the destination's URL. */
const drivers = {
  file: openFile,
  s3: openS3,
  memory: openMemory,
} as const satisfies Record<string, (location: Location, options: StoreOptions) => Promise<Store> | Store>;

export const storeSchemes: readonly string[] = Object.keys(drivers);

function isScheme(scheme: string): scheme is keyof typeof drivers {
  return storeSchemes.includes(scheme);
}

/** Opens a destination: `file:///path`, `s3://bucket/prefix?region=…`, `memory://name`. Rejects CONFIG_INVALID. */
export async function openStore(url: string, options: StoreOptions = {}): Promise<Store> {
  const location = parseLocation(url);
  if (isScheme(location.scheme)) return drivers[location.scheme](location, options);
  throw invalid(
    `has the unknown scheme "${location.scheme}"`,
    suggestion(location.scheme, storeSchemes) ?? `known are ${storeSchemes.join(', ')}`,
  );
}

function openFile(location: Location): Store {
  checkQuery(location, []);
  if (location.host !== '') throw invalid('(file://…) names a host', 'write three slashes: file:///backups');
  if (location.path === '') throw invalid('(file://…) names no folder', 'for example file:///backups');
  // A network drive has its hiccups; S3 repeats each of its requests itself.
  return retrying(createLocalStore({ root: `/${location.path}` }));
}

const s3Settings = ['region', 'endpoint', 'path-style', 'storage-class', 'checksum'];

async function openS3(location: Location, options: StoreOptions): Promise<Store> {
  checkQuery(location, s3Settings);
  const { host: bucket, path: prefix, query } = location;
  if (bucket === '') throw invalid('(s3://…) names no bucket', 'for example s3://bucket/prefix');
  checkPrefix(prefix);
  const { createS3Store } = await import('./s3.ts');
  return createS3Store({
    ...options,
    bucket,
    prefix,
    endpoint: endpointIn(query.get('endpoint')),
    region: query.get('region'),
    storageClass: query.get('storage-class'),
    forcePathStyle: choice('path-style', query.get('path-style'), { true: true, false: false }),
    checksum: choice('checksum', query.get('checksum'), { auto: 'auto', crc32: 'crc32', none: 'none' }) ?? 'auto',
  });
}

function endpointIn(endpoint: string | undefined): string | undefined {
  if (endpoint === undefined) return undefined;
  const url = URL.canParse(endpoint) ? new URL(endpoint) : undefined;
  if (url?.username || url?.password)
    throw invalid('(s3://…) holds credentials in its endpoint', 'give them as key variables');
  if (url?.protocol === 'https:' || url?.protocol === 'http:') return endpoint;
  throw invalid(
    '(s3://…) has an endpoint that is not a web address',
    'for example endpoint=https://minio.example.org:9000',
  );
}

function choice<T>(key: string, value: string | undefined, known: Readonly<Record<string, T>>): T | undefined {
  if (value === undefined) return undefined;
  const found = Object.entries(known).find(([word]) => word === value);
  if (found) return found[1];
  throw invalid(`(s3://…) has an unknown value for "${key}"`, `known are ${Object.keys(known).join(', ')}`);
}

/** One store per name, as long as the process lives: whoever opens the same URL finds the same objects. */
const memories = new Map<string, Store>();

function openMemory(location: Location): Store {
  checkQuery(location, []);
  const name = location.host;
  if (name === '') throw new LifeboatError('CONFIG_INVALID', 'a memory destination needs a name: memory://name');
  const store = memories.get(name) ?? createMemoryStore({ name });
  memories.set(name, store);
  return store;
}
