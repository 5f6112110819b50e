import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { encodeChain } from '../../codecs/chain.ts';
import type { Codec, CodecStep } from '../../codecs/codec.ts';
import { createDigest, type DigestStep } from '../../codecs/digest.ts';
import { type Branch, tee } from '../../codecs/tee.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Artifact } from '../../domain/manifest.ts';
import { shellQuote } from '../../domain/naming.ts';
import type { Piped, Shell } from '../../domain/shell.ts';
import type { Dump, Proof } from '../../engines/engine.ts';
import type { Confirmation, Draft } from '../../stores/store.ts';
import type { Source } from '../source.ts';
import { artifactFile } from './artifact-file.ts';
import { allOrFirstFailure } from './first-failure.ts';
import { plainBytes } from './plain-bytes.ts';
import type { Way } from './way.ts';

/** A destination's folder that this backup is being written to. */
export interface OpenDraft {
  readonly destination: string;
  readonly draft: Draft;
}

export interface StoredDump {
  readonly artifact: Artifact;
  readonly proof: Proof;
  readonly way: Way;
  /** Destinations that failed while others went on, with the reason. */
  readonly lost: readonly { readonly destination: string; readonly error: unknown }[];
  readonly confirmed: Confirmation['confirmed'];
}

export interface Progress {
  readonly plainBytes: number;
  readonly storedBytes: number;
}

/** Everything one artifact's way needs. */
export interface Transfer {
  readonly source: Source;
  readonly shell: Shell;
  readonly dump: Dump;
  readonly way: Way;
  readonly codecs: readonly Codec[];
  readonly drafts: readonly OpenDraft[];
  onProgress(progress: Progress): void;
}

/** What came out of one artifact's way. */
interface Outcome {
  readonly file: string;
  readonly plainBytes: number;
  readonly plainSha256: string | undefined;
  readonly stored: { readonly bytes: number; readonly sha256: string };
  readonly proof: Proof;
  readonly puts: readonly PromiseSettledResult<Confirmation | undefined>[];
}

/**
 * One artifact's way: dump → codecs → digest → all drafts, and the same stored bytes once more through the decoders into
 * the engine's prover. What is proved is therefore what is stored, and nothing is written twice or held in memory.
 */
export async function storeDump(transfer: Transfer, outer: AbortSignal): Promise<StoredDump> {
  const { dump, codecs, way, onProgress } = transfer;
  const file = artifactFile(dump, codecs);
  const plain = createDigest();
  const stored = createDigest();
  const isCountedHere = way.carrier !== 'pipe';
  const ticker = setInterval(() => onProgress({ plainBytes: plain.bytes(), storedBytes: stored.bytes() }), 250);
  try {
    await using filling = await openFilling(transfer);
    const proof = createProof(transfer);
    const [, puts] = await allOrFirstFailure<[undefined, Outcome['puts']]>(outer, (signal) => {
      const encode = encodeChain(codecs, signal, filling.descriptor);
      const filled = filling.fill(encode, plain, signal);
      const hashed = pipeline(encode.output, stored.stream, { signal });
      hashed.catch(() => {}); // The fan-out reads the same failure from the stream.
      const branches = [
        ...transfer.drafts.map((draft) => storeBranch(draft, file, transfer.drafts.length > 1)),
        proof.branch,
      ];
      return [filled, tee(stored.stream, branches, signal)];
    });
    const plainSha256 = isCountedHere ? plain.result().sha256 : undefined;
    return await conclude(transfer, {
      file,
      plainSha256,
      stored: stored.result(),
      ...proof.result(),
      puts: puts.slice(0, -1),
    });
  } catch (error) {
    // An engine's prover refuses no bytes in its own words; what matters to the reader is that there were none.
    const isEmpty =
      isCountedHere && plain.bytes() === 0 && error instanceof LifeboatError && error.code === 'PROOF_FAILED';
    throw isEmpty ? new LifeboatError('DUMP_EMPTY', `the dump of ${dump.name} is empty`, { cause: error }) : error;
  } finally {
    clearInterval(ticker);
  }
}

/** Where the first codec gets its bytes from: a named pipe, or this process. */
interface Filling extends AsyncDisposable {
  readonly descriptor: number | undefined;
  fill(encode: CodecStep, counter: DigestStep, signal: AbortSignal): Promise<undefined>;
}

async function openFilling({ shell, dump, way }: Transfer): Promise<Filling> {
  const { produce } = dump;
  if (way.carrier === 'pipe' && produce.from === 'command' && produce.helper) {
    const piped: Piped = await shell.pipe(produce.helper.command);
    return {
      descriptor: piped.fd,
      fill: async (_encode, _counter, signal) => {
        await piped.run(signal);
        return undefined;
      },
      [Symbol.asyncDispose]: () => piped[Symbol.asyncDispose](),
    };
  }
  return {
    descriptor: undefined,
    fill: async ({ input }, counter, signal) => {
      if (!input) throw new LifeboatError('INTERNAL', 'the codec chain takes no input');
      await pipeline(await open(signal), counter.stream, input, { signal });
      return undefined;
    },
    [Symbol.asyncDispose]: async () => {},
  };

  async function open(signal: AbortSignal): Promise<Readable> {
    if (produce.from === 'text') return Readable.from([Buffer.from(produce.text)]);
    const command = way.taken === 'file' && produce.helper ? produce.helper.command : produce.exec;
    return (await shell.output(command, signal)).stdout;
  }
}

function storeBranch(
  { destination, draft }: OpenDraft,
  file: string,
  mayFail: boolean,
): Branch<Confirmation | undefined> {
  return { name: destination, mayFail, consume: (body, signal) => draft.put(file, body, {}, signal) };
}

/** The branch that decodes what is being stored and lets the engine prove it. */
function createProof({ source, shell, dump, way, codecs }: Transfer) {
  let found: { readonly proof: Proof; readonly plainBytes: number } | undefined;
  const branch: Branch<Confirmation | undefined> = {
    name: 'proof',
    consume: async (body, signal) => {
      const plain = plainBytes(body, codecs, way.isLarge, signal);
      const proof = await source.engine.prove(shell, dump, plain.stream, source.settings.options, signal);
      dump.proved?.(proof);
      plain.stream.destroy();
      found = { proof, plainBytes: await plain.total() };
      return undefined;
    },
  };
  return {
    branch,
    result: () => {
      if (found) return found;
      throw new LifeboatError('INTERNAL', `nothing proved the dump of ${dump.name}`);
    },
  };
}

async function conclude({ source, shell, dump, way, codecs, drafts }: Transfer, outcome: Outcome): Promise<StoredDump> {
  const { file, stored, proof, puts } = outcome;
  if (outcome.plainBytes === 0) throw new LifeboatError('DUMP_EMPTY', `the dump of ${dump.name} is empty`);
  const lost = puts.flatMap((put, i) =>
    put.status === 'rejected' ? [{ destination: drafts[i]?.destination ?? '', error: put.reason as unknown }] : [],
  );
  const confirmations = puts.flatMap((put) => (put.status === 'fulfilled' && put.value ? [put.value] : []));
  for (const confirmation of confirmations) {
    if (confirmation.bytes === stored.bytes && confirmation.sha256 === stored.sha256) continue;
    throw new LifeboatError('ARTIFACT_CORRUPT', `a destination stored ${file} with other content than it was given`, {
      hint: 'lifeboat doctor tries each destination',
    });
  }
  const decode = codecs.toReversed().map(({ decodeByHand }) => ` | ${decodeByHand}`);
  const artifact: Artifact = {
    name: dump.name,
    kind: dump.kind,
    file,
    plainBytes: outcome.plainBytes,
    plainSha256: outcome.plainSha256,
    storedBytes: stored.bytes,
    storedSha256: stored.sha256,
    codecs: codecs.map(({ name }) => ({ name })),
    facts: { ...dump.facts },
    counts: [...((await dump.counts) ?? []), ...proof.counts],
    byHand: `cat ${shellQuote(file)}${decode.join('')} | ${source.engine.byHand(shell.container, dump, source.settings.options)}`,
  };
  const isReadBack = confirmations.every(({ confirmed }) => confirmed === 'read-back');
  return { artifact, proof, way, lost, confirmed: isReadBack ? 'read-back' : 'checksum' };
}
