import type { Readable } from 'node:stream';
import { openArtifact } from '../../codecs/artifact.ts';
import { asLifeboatError, LifeboatError } from '../../domain/errors.ts';
import type { Artifact, Manifest } from '../../domain/manifest.ts';
import { backupPrefix, shortId } from '../../domain/naming.ts';
import { createNamer } from '../../domain/source-names.ts';
import { sourceName } from '../../domain/types.ts';
import { chooseBackups } from '../choice.ts';
import type { Destination } from '../context.ts';
import { isIdLike, listBackups } from '../lookup.ts';
import type { BackupEntry } from '../operations.ts';
import { bundleOf, type Place } from './bundle.ts';
import { isOfTheCopy, named } from './copy-failure.ts';
import { metered } from './metered.ts';

/** Where exported bytes go. */
export interface Sink {
  /** Takes all of it; resolves when it is written. */
  take(bytes: Readable, signal: AbortSignal): Promise<void>;
  /** Forgets what was taken. False when somebody has seen some of it already. */
  restart(): Promise<boolean>;
}

export interface ExportAsk {
  /** An id, `service` or `service/source`; `@` and an id, `latest` or a point in time may follow. */
  readonly what: string;
  /** Name or file of an artifact; may be left out where there is one only. */
  readonly artifact?: string | undefined;
}

/** What export needs of the world: no Engine, no daemon. */
export interface ExportContext {
  destinations(): Promise<readonly Destination[]>;
  /** Hears that a copy was of no use and another is taken. */
  warn(message: string): void;
  /** Bytes that were read, for progress. */
  onRead(bytes: number): void;
  now(): Date;
}

/** What was exported. */
export interface Exported {
  readonly backups: readonly string[];
  /** Absent for a bundle. */
  readonly artifact?: Pick<Artifact, 'name' | 'kind' | 'file'>;
  readonly destinations: readonly string[];
}

/**
 * The plain bytes of one artifact. Rejects ARTIFACT_CORRUPT when they are not those of the manifest; then what was written
 * is of no use. Another copy is taken as long as nobody has seen a byte of the first.
 */
export async function exportArtifact(
  context: ExportContext,
  { what, artifact: name }: ExportAsk,
  sink: Sink,
  signal: AbortSignal,
): Promise<Exported> {
  const entry = await findOne(context, what, signal);
  const artifact = chooseArtifact(entry.manifest, name);
  const prefix = backupPrefix(entry.manifest, entry.manifest.id);
  const taken = await fromFirst(context, await copiesOf(context, entry), sink, signal, async ({ store }, abort) => {
    const stored = async (file: string) => metered(await store.get(`${prefix}/${file}`, abort), context.onRead);
    await sink.take(await openArtifact(artifact, stored, abort), abort);
  });
  return { backups: [entry.manifest.id], artifact, destinations: [taken.name] };
}

/** All backups of one set as they are stored, with their manifests and the page that says how to restore them, as a tar. */
export async function exportBundle(
  context: ExportContext,
  { what }: ExportAsk,
  sink: Sink,
  signal: AbortSignal,
): Promise<Exported> {
  const entries = await findSet(context, what, signal);
  const places: Place[] = [];
  for (const { manifest, destinations } of entries) {
    places.push({ manifest, copies: await copiesOf(context, { manifest, destinations }) });
  }
  const bundle = bundleOf(places, context);
  for (;;) {
    const done = new AbortController();
    try {
      await sink.take(bundle.read(AbortSignal.any([signal, done.signal])), signal);
      return { backups: entries.map(({ manifest }) => manifest.id), destinations: bundle.taken() };
    } catch (error) {
      signal.throwIfAborted();
      const passedBy = bundle.passBy(error);
      if (passedBy === undefined || !(await sink.restart())) throw bundle.named(error);
      context.warn(passedBy);
    } finally {
      done.abort();
    }
  }
}

// --- utils ---

async function findOne(context: ExportContext, what: string, signal: AbortSignal): Promise<BackupEntry> {
  const [given = '', at] = splitAt(what);
  const { backups, problems } = await listBackups(context, {}, signal);
  tellUnread(context, problems);
  const found = chooseBackups(backups, given, at);
  const [entry, ...others] = found;
  if (entry && others.length === 0) return entry;
  const nameOf = createNamer(found.map(({ manifest }) => manifest.stack));
  const names = found.map(({ manifest }) => nameOf({ stack: manifest.stack, name: sourceName(manifest) }));
  throw new LifeboatError('USAGE', `${given} means several sources`, { hint: `use one of: ${names.join(', ')}` });
}

/** By the id of the set, which is the id of its run, or of any backup in it. */
async function findSet(context: ExportContext, what: string, signal: AbortSignal): Promise<readonly BackupEntry[]> {
  const [given = '', at] = splitAt(what);
  const { backups, problems } = await listBackups(context, {}, signal);
  tellUnread(context, problems);
  const isSet = ({ manifest: { set } }: BackupEntry) => set === given || shortId(set) === given;
  const [own] = isIdLike(given) && at === undefined ? backups.filter(isSet) : [];
  const [entry = own] = own ? [own] : chooseBackups(backups, given, at);
  return backups.filter(({ manifest }) => manifest.set === entry?.manifest.set);
}

function splitAt(what: string): [string, string?] {
  const i = what.indexOf('@');
  return i < 0 ? [what] : [what.slice(0, i), what.slice(i + 1)];
}

/** A newer backup may lie where nobody could look. */
function tellUnread({ warn }: ExportContext, problems: Awaited<ReturnType<typeof listBackups>>['problems']): void {
  for (const { destination, key, message } of problems) warn(`${destination}: ${key ? `${key}: ` : ''}${message}`);
}

/** Disks of this host first. */
async function copiesOf(context: ExportContext, entry: BackupEntry): Promise<readonly Destination[]> {
  const all = (await context.destinations()).filter(({ name }) => entry.destinations.includes(name));
  return all.toSorted((a, b) => Number(b.isLocal) - Number(a.isLocal));
}

function chooseArtifact({ id, artifacts }: Manifest, name: string | undefined): Artifact {
  const found = artifacts.filter((each) => name === undefined || each.name === name || each.file === name);
  const [artifact, ...others] = found;
  if (artifact && others.length === 0) return artifact;
  const names = new Set(artifacts.map((each) => each.name));
  const known = artifacts.map((each) => (names.size === artifacts.length ? each.name : each.file)).join(', ');
  if (artifact && name === undefined) {
    throw new LifeboatError('USAGE', `backup ${shortId(id)} holds several artifacts`, {
      hint: `choose one with --artifact: ${known}`,
    });
  }
  throw new LifeboatError('BACKUP_NOT_FOUND', `backup ${shortId(id)} has no artifact that is ${name} alone`, {
    hint: `it has: ${known}`,
  });
}

async function fromFirst(
  { warn }: ExportContext,
  copies: readonly Destination[],
  sink: Sink,
  signal: AbortSignal,
  act: (copy: Destination, signal: AbortSignal) => Promise<void>,
): Promise<Destination> {
  for (const [i, copy] of copies.entries()) {
    const done = new AbortController();
    try {
      await act(copy, AbortSignal.any([signal, done.signal]));
      return copy;
    } catch (thrown) {
      signal.throwIfAborted();
      const error = asLifeboatError(thrown);
      const next = copies[i + 1];
      if (!next || !isOfTheCopy(error) || !(await sink.restart())) throw named(copy, error);
      warn(`${copy.name}: ${error.message}; taking the copy in ${next.name}`);
    } finally {
      done.abort();
    }
  }
  throw new LifeboatError('BACKUP_NOT_FOUND', 'the backup is in no destination', { hint: 'lifeboat list' });
}
