import { asLifeboatError, type LifeboatError } from '../../domain/errors.ts';
import type { Manifest } from '../../domain/manifest.ts';
import { shortId } from '../../domain/naming.ts';
import type { Failure, SourceResult } from '../../domain/run-event.ts';
import { sourceName } from '../../domain/types.ts';
import type { Finding, StructureCheck, VerifiedBackup, VerifiedCopy } from '../../domain/verification.ts';
import type { VerifyLevel } from '../../domain/verify-level.ts';
import type { Destination, RunContext } from '../context.ts';
import { failureOf, type RunLog } from '../history/run-log.ts';
import type { BackupEntry, BackupListing } from '../operations.ts';
import { type Copy, proveArtifact, type Reading, readArtifact } from './copy-check.ts';
import { openProver, type Present, type Prover } from './prover.ts';

export type ListProblem = BackupListing['problems'][number];

interface Ask {
  readonly run: string;
  readonly level: VerifyLevel;
}

/** What is known of an artifact's structure, whatever copy it was read from: equal checksums are equal bytes. */
type Structures = Map<string, Exclude<Reading, { readonly state: 'sound' | 'damaged' | 'unread' }>>;
type NoProver = { readonly error: LifeboatError };

/**
 * The story of one backup's verification: every copy is read to its end, the first sound bytes of each artifact go through
 * the prover, and what was found is noted beside the manifest of each copy.
 */
export async function verifyBackup(
  context: RunContext,
  entry: BackupEntry,
  damagedManifests: readonly ListProblem[],
  present: Present,
  ask: Ask,
  log: RunLog,
  signal: AbortSignal,
): Promise<SourceResult> {
  const { manifest } = entry;
  const began = context.now().getTime();
  const source = sourceName(manifest);
  const destinations = (await context.destinations()).filter(({ name }) => entry.destinations.includes(name));
  const prover = ask.level === 'structure' ? await proverOf(context, entry, present, ask.run, signal) : undefined;
  const structures: Structures = new Map();
  const expected = destinations.length * manifest.artifacts.reduce((sum, { storedBytes }) => sum + storedBytes, 0);
  let read = 0;
  const onRead = (bytes: number) => {
    read += bytes;
  };
  const ticker = setInterval(
    () => log.progress(source, 'verify', { plainBytes: read, storedBytes: read }, expected),
    250,
  );
  const copies: VerifiedCopy[] = damagedManifests.map(({ destination, message }) => ({
    destination,
    result: 'damaged',
    findings: [{ file: 'manifest.json', message }],
  }));
  try {
    for (const destination of destinations) {
      const copy = { manifest, destination, onRead };
      const detail = `${shortId(manifest.id)} in ${destination.name}`;
      copies.push(await log.step(source, 'verify', detail, () => verifyCopy(copy, prover, structures, signal)));
    }
  } finally {
    clearInterval(ticker);
  }
  const structure = structureOf(manifest, prover, structures);
  for (const destination of destinations) {
    const copy = copies.find(({ destination: name }) => name === destination.name);
    if (copy) await note(context, entry, destination, copy, structure, ask, log, signal);
  }
  const { id, stack, startedAt } = manifest;
  const verified: VerifiedBackup = { id, stack, source, startedAt, copies, structure };
  const durationMs = context.now().getTime() - began;
  const failure = failureIn(verified);
  const isDamaged = copies.some(({ result }) => result === 'damaged');
  return {
    source,
    result: isDamaged ? 'failed' : failure ? 'degraded' : 'ok',
    backup: id,
    storedBytes: read,
    durationMs,
    verified,
    ...(failure ? { error: failure } : {}),
  };
}

// --- utils ---

async function proverOf(
  context: RunContext,
  { manifest }: BackupEntry,
  present: Present,
  run: string,
  signal: AbortSignal,
): Promise<Prover | NoProver> {
  try {
    return await openProver(context, manifest, present, run, signal);
  } catch (error) {
    signal.throwIfAborted();
    return { error: asLifeboatError(error) };
  }
}

async function verifyCopy(
  copy: Copy,
  prover: Prover | NoProver | undefined,
  structures: Structures,
  signal: AbortSignal,
): Promise<VerifiedCopy> {
  const { name: destination } = copy.destination;
  const findings: Finding[] = [];
  for (const artifact of copy.manifest.artifacts) {
    const { file } = artifact;
    const isToBeProved = prover !== undefined && !('error' in prover) && !structures.has(file);
    const reading = isToBeProved
      ? await proveArtifact(copy, artifact, prover, signal)
      : await readArtifact(copy, artifact, signal);
    if (reading.state === 'unread') {
      return { destination, result: 'unread', findings: [{ file, message: reading.error.message }] };
    }
    if (reading.state === 'damaged') findings.push({ file, message: reading.message });
    else if (reading.state !== 'sound') structures.set(file, reading);
    const known = structures.get(file);
    if (reading.state !== 'damaged' && known?.state === 'refused') findings.push({ file, message: known.message });
  }
  return { destination, result: findings.length > 0 ? 'damaged' : 'ok', findings };
}

function structureOf(
  { artifacts }: Manifest,
  prover: Prover | NoProver | undefined,
  structures: Structures,
): StructureCheck {
  if (!prover) return { state: 'not-asked' };
  if ('error' in prover) return { state: 'not-run', code: prover.error.code, why: prover.error.message };
  const known = artifacts.map(({ file }) => structures.get(file));
  if (known.some((each) => each?.state === 'refused')) return { state: 'failed' };
  const unproved = known.find((each) => each?.state === 'unproved');
  if (unproved) return { state: 'not-run', code: unproved.code, why: unproved.why };
  const methods = known.flatMap((each) => (each?.state === 'proved' ? [each.method] : []));
  if (methods.length === artifacts.length) return { state: 'proved', methods: [...new Set(methods)] };
  return { state: 'not-run', code: 'ARTIFACT_CORRUPT', why: 'no sound copy of every artifact was read' };
}

/** Notes what was found beside the manifest; a destination that takes no note is told of and changes no result. */
async function note(
  { version, now }: RunContext,
  { manifest }: BackupEntry,
  { name, catalog }: Destination,
  { result, findings }: VerifiedCopy,
  structure: StructureCheck,
  { run, level }: Ask,
  log: RunLog,
  signal: AbortSignal,
): Promise<void> {
  if (result === 'unread') return;
  const isDeep = structure.state === 'proved' || (structure.state === 'failed' && result === 'damaged');
  try {
    await catalog.annotate(
      manifest,
      {
        format: 1,
        type: 'verified',
        at: now().toISOString(),
        run,
        lifeboat: version,
        level: isDeep ? level : 'checksum',
        result,
        findings: [...findings],
        ...(structure.state === 'not-run' ? { notRun: structure.why } : {}),
      },
      signal,
    );
  } catch (error) {
    signal.throwIfAborted();
    const { message, hint } = failureOf(error);
    log.warn(
      sourceName(manifest),
      `that ${shortId(manifest.id)} was verified cannot be noted in ${name}: ${message}`,
      hint,
    );
  }
}

/** The worst of it in one sentence, and what to do next. */
function failureIn({ id, source, copies, structure }: VerifiedBackup): Failure | undefined {
  const of = (wanted: VerifiedCopy['result']) => copies.filter(({ result }) => result === wanted);
  const told = (some: readonly VerifiedCopy[]) =>
    some
      .map(({ destination, findings }) => `${destination}: ${findings.map(({ message }) => message).join(', ')}`)
      .join('; ');
  const damaged = of('damaged');
  const unread = of('unread');
  const [sound] = of('ok');
  const again = `make a new backup (lifeboat backup ${source}) and look after that storage`;
  if (damaged.length > 0) {
    const hint = sound
      ? `restore ${source} --at ${shortId(id)} takes the sound copy in ${sound.destination}; ${again}`
      : `nothing can be restored from ${shortId(id)}: ${again}; lifeboat list shows the other backups`;
    return { code: 'ARTIFACT_CORRUPT', message: `damaged in ${told(damaged)}`, hint };
  }
  if (unread.length > 0) {
    const hint = 'lifeboat doctor looks at every destination; verify again when it can be read';
    return { code: 'STORE_UNAVAILABLE', message: `could not be read in ${told(unread)}`, hint };
  }
  if (structure.state !== 'not-run') return undefined;
  const message = `its checksums are right, its structure was not proved: ${structure.why}`;
  return { code: structure.code, message, hint: hintFor(structure.code) };
}

function hintFor(code: string): string {
  return code.startsWith('DOCKER_')
    ? 'lifeboat doctor says what the Engine lacks; --level checksum asks for no proof'
    : 'pull the image again, or verify a newer backup; --level checksum asks for no proof';
}
