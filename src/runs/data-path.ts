import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { decodeChain, encodeChain } from '../codecs/chain.ts';
import type { Codec } from '../codecs/codec.ts';
import { createDigest } from '../codecs/digest.ts';
import { type Branch, tee } from '../codecs/tee.ts';
import { LifeboatError } from '../domain/errors.ts';
import type { Artifact } from '../domain/manifest.ts';
import { segment, shellQuote } from '../domain/naming.ts';
import type { Shell } from '../domain/shell.ts';
import type { Dump, Proof } from '../engines/engine.ts';
import type { Confirmation, Draft } from '../stores/store.ts';
import { allOrFirstFailure } from './first-failure.ts';
import type { Source } from './source.ts';

/** A destination's folder that this backup is being written to. */
export interface OpenDraft {
  readonly destination: string;
  readonly draft: Draft;
}

export interface StoredDump {
  readonly artifact: Artifact;
  readonly proof: Proof;
  /** Destinations that failed while others went on, with the reason. */
  readonly lost: readonly { readonly destination: string; readonly error: unknown }[];
  readonly confirmed: Confirmation['confirmed'];
}

export interface Progress {
  readonly plainBytes: number;
  readonly storedBytes: number;
}

/**
 * One artifact's way: dump → codecs → digest → all drafts, and the same stored bytes once more through the decoders into
 * the engine's prover. What is proved is therefore what is stored, and nothing is written twice or held in memory.
 */
export async function storeDump(
  source: Source,
  shell: Shell,
  dump: Dump,
  codecs: readonly Codec[],
  drafts: readonly OpenDraft[],
  onProgress: (progress: Progress) => void,
  outer: AbortSignal,
): Promise<StoredDump> {
  const plain = createDigest();
  const stored = createDigest();
  const file = [`${segment(dump.name)}.${dump.extension}`, ...codecs.map(({ extension }) => extension)].join('.');
  const ticker = setInterval(() => onProgress({ plainBytes: plain.bytes(), storedBytes: stored.bytes() }), 250);
  try {
    const [, proof, puts] = await allOrFirstFailure<[undefined, Proof, PromiseSettledResult<Confirmation>[]]>(
      outer,
      (signal) => {
        const encode = encodeChain(codecs, signal);
        const proved = Promise.withResolvers<Proof>();
        const branches = [
          ...drafts.map((draft) => storeBranch(draft, file, drafts.length > 1)),
          proofBranch(source, shell, dump, codecs, proved),
        ];
        const filled = fill(shell, dump, plain.stream, encode.input, signal);
        const hashed = pipeline(encode.output, stored.stream, { signal });
        hashed.catch(() => {}); // The fan-out reads the same failure from the stream.
        const fanned = tee<Confirmation | undefined>(stored.stream, branches, signal);
        proved.promise.catch(() => {});
        return [
          filled,
          fanned.then(() => proved.promise),
          fanned.then((results) => results.slice(0, -1) as PromiseSettledResult<Confirmation>[]),
        ];
      },
    );
    return finish(shell, source, dump, codecs, file, plain.result(), stored.result(), proof, drafts, puts);
  } catch (error) {
    // An engine's prover refuses no bytes in its own words; what matters to the reader is that there were none.
    const isEmpty = plain.bytes() === 0 && error instanceof LifeboatError && error.code === 'PROOF_FAILED';
    throw isEmpty ? new LifeboatError('DUMP_EMPTY', `the dump of ${dump.name} is empty`, { cause: error }) : error;
  } finally {
    clearInterval(ticker);
  }
}

async function fill(
  shell: Shell,
  dump: Dump,
  counter: NodeJS.ReadWriteStream,
  input: NodeJS.WritableStream | undefined,
  signal: AbortSignal,
): Promise<undefined> {
  if (!input) throw new LifeboatError('INTERNAL', 'the codec chain takes no input');
  const { produce } = dump;
  const bytes =
    produce.from === 'text'
      ? Readable.from([Buffer.from(produce.text)])
      : (await shell.output(produce.exec, signal)).stdout;
  await pipeline(bytes, counter, input, { signal });
  return undefined;
}

function storeBranch(
  { destination, draft }: OpenDraft,
  file: string,
  mayFail: boolean,
): Branch<Confirmation | undefined> {
  return { name: destination, mayFail, consume: (body, signal) => draft.put(file, body, {}, signal) };
}

function proofBranch(
  source: Source,
  shell: Shell,
  dump: Dump,
  codecs: readonly Codec[],
  proved: PromiseWithResolvers<Proof>,
): Branch<Confirmation | undefined> {
  return {
    name: 'proof',
    consume: async (body, outer) => {
      const [, proof] = await allOrFirstFailure<[undefined, Proof]>(outer, (signal) => {
        const decode = decodeChain(codecs, signal);
        if (!decode.input) throw new LifeboatError('INTERNAL', 'the decoder takes no input');
        return [
          pipeline(body, decode.input, { signal }).then(() => undefined),
          source.engine.prove(shell, dump, decode.output, source.settings.options, signal),
        ];
      });
      proved.resolve(proof);
      return undefined;
    },
  };
}

async function finish(
  shell: Shell,
  source: Source,
  dump: Dump,
  codecs: readonly Codec[],
  file: string,
  plain: { bytes: number; sha256: string },
  stored: { bytes: number; sha256: string },
  proof: Proof,
  drafts: readonly OpenDraft[],
  puts: readonly PromiseSettledResult<Confirmation>[],
): Promise<StoredDump> {
  if (plain.bytes === 0) throw new LifeboatError('DUMP_EMPTY', `the dump of ${dump.name} is empty`);
  const lost = puts.flatMap((put, i) =>
    put.status === 'rejected' ? [{ destination: drafts[i]?.destination ?? '', error: put.reason as unknown }] : [],
  );
  const confirmations = puts.flatMap((put) => (put.status === 'fulfilled' ? [put.value] : []));
  for (const confirmation of confirmations) {
    if (confirmation.bytes === stored.bytes && confirmation.sha256 === stored.sha256) continue;
    throw new LifeboatError('ARTIFACT_CORRUPT', `a destination stored ${file} with other content than it was given`);
  }
  const decode = codecs
    .toReversed()
    .map(({ decodeByHand }) => ` | ${decodeByHand}`)
    .join('');
  const artifact: Artifact = {
    name: dump.name,
    kind: dump.kind,
    file,
    plainBytes: plain.bytes,
    plainSha256: plain.sha256,
    storedBytes: stored.bytes,
    storedSha256: stored.sha256,
    codecs: codecs.map(({ name }) => ({ name })),
    facts: { ...dump.facts },
    counts: [...((await dump.counts) ?? []), ...proof.counts],
    byHand: `cat ${shellQuote(file)}${decode} | ${source.engine.byHand(shell.container, dump, source.settings.options)}`,
  };
  const isReadBack = confirmations.every(({ confirmed }) => confirmed === 'read-back');
  return { artifact, proof, lost, confirmed: isReadBack ? 'read-back' : 'checksum' };
}
