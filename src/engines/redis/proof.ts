import type { Readable } from 'node:stream';
import { notWholeHint } from '../../domain/advice.ts';
import { LifeboatError } from '../../domain/errors.ts';
import type { Counts } from '../../domain/manifest.ts';
import type { Shell } from '../../domain/shell.ts';
import type { ArtifactFacts, Proof, Review, ReviewedArtifact, Survey } from '../engine.ts';
import { countRdb, countServer } from './counts.ts';
import { RdbFacts } from './facts.ts';
import { type CheckedRdb, RdbCheck } from './rdb/check.ts';
import { assertSameLife } from './save.ts';
import { type Opinion, secondOpinion } from './second-opinion.ts';
import type { RedisNotes } from './survey.ts';

/** A server's idea of the present second may lag a little behind what it told us. */
const clockSlackSeconds = 1;

/**
 * Two checks of the same bytes as they stream by. Ours decides: it sees cuts, flipped bits and what follows the end. The
 * server's own tool, in a helper, reads every value besides, and can only add a reason to refuse.
 */
export async function prove(
  shell: Shell,
  artifact: ArtifactFacts,
  plain: Readable,
  signal: AbortSignal,
): Promise<Proof> {
  const check = new RdbCheck();
  await using second = secondOpinion(shell, signal);
  for await (const chunk of plain as AsyncIterable<Buffer>) {
    check.take(chunk);
    await second.give(chunk);
  }
  const checked = check.end();
  refuseStale(artifact, checked);
  const opinion = await second.end();
  if (opinion.kind === 'bad') {
    throw new LifeboatError('PROOF_FAILED', `redis-check-rdb does not accept the RDB: ${opinion.why}`, {
      hint: notWholeHint,
    });
  }
  return { method: methodOf(checked, opinion), counts: countsOf(checked, opinion) };
}

/** An RDB says when it was written: one from before the backup began is the leftover of another save. */
function refuseStale(artifact: ArtifactFacts, { content }: CheckedRdb): void {
  const facts = RdbFacts.safeParse(artifact.facts);
  const written = Number(content.aux.get('ctime') ?? Number.NaN);
  if (!facts.success || !Number.isFinite(written)) return;
  if (written + clockSlackSeconds >= facts.data.savedAfter) return;
  throw new LifeboatError(
    'PROOF_FAILED',
    `the RDB is stale: it was written at ${new Date(written * 1000).toISOString()}, before this backup began`,
    { hint: 'the last save of the server did not replace its file; see its log' },
  );
}

function methodOf({ content, unsummed }: CheckedRdb, opinion: Opinion): string {
  const structure = content.unknown === undefined ? 'every length' : `every length up to an unknown ${content.unknown}`;
  const sum = unsummed ? 'no checksum, for the server writes none (weak)' : 'CRC-64';
  const tool = opinion.kind === 'good' ? 'redis-check-rdb read every key' : `no second opinion: ${opinion.why}`;
  return `RDB ${content.version}: ${structure} and ${sum}; ${tool}`;
}

function countsOf({ content }: CheckedRdb, opinion: Opinion): Counts[] {
  const counts = countRdb(content);
  if (counts) return [counts];
  if (opinion.kind !== 'good' || opinion.keys === undefined) return [];
  return [{ how: 'dump', objects: { keys: opinion.keys } }];
}

/** What the server held before and after against what the RDB holds. */
export async function review(
  survey: Survey,
  artifacts: readonly ReviewedArtifact[],
  signal: AbortSignal,
): Promise<Review> {
  const { client, server, counts } = survey.notes as RedisNotes;
  await assertSameLife(client, server.runId, signal);
  const before = counts.objects;
  const after = (await countServer(client, signal)).objects;
  const dumped = artifacts.flatMap((artifact) => artifact.counts).find(({ how }) => how === 'dump')?.objects;
  if (!dumped) return { method: 'nothing to compare: this RDB format cannot be counted', warnings: [] };
  const warnings: string[] = [];
  const compared: string[] = [];
  for (const what of Object.keys(before).filter((key) => !/^(?:nodes|edges) of graph /.test(key))) {
    const least = Math.min(before[what] ?? 0, after[what] ?? 0);
    const found = what.startsWith('keys of db') && 'keys' in dumped ? (dumped.keys ?? 0) : (dumped[what] ?? 0);
    const isSettled = what === 'function libraries' && before[what] === after[what];
    if ((least > 0 && found === 0) || (isSettled && found !== least)) {
      throw new LifeboatError('PROOF_FAILED', `the RDB holds ${found} ${what}, the server holds ${after[what]}`, {
        hint: 'the dump does not hold what the server has; see the server log for what happened during its save',
      });
    }
    if (found * 2 < least) warnings.push(`the RDB holds ${found} ${what}, the server had ${before[what]}`);
    if (least > 0 || found > 0)
      compared.push(`${what}: ${found} (server: ${before[what]} before, ${after[what]} after)`);
  }
  return { method: compared.slice(0, 8).join(', ') || 'the server was empty before and after', warnings };
}
