import { LifeboatError } from '../../domain/errors.ts';
import type { Container } from '../../domain/types.ts';
import type { RestorePreview } from '../../engines/engine.ts';
import type { RunContext } from '../context.ts';
import { type RestoreRequest, targetOf } from './request.ts';
import { sharersOf, stopsFor } from './sharers.ts';

/** What a person confirms before anything is touched. */
export interface RestorePlan {
  readonly request: RestoreRequest;
  readonly preview: RestorePreview;
  /** Services that are stopped, in this order, and started again in the reverse. */
  readonly stops: readonly Container[];
  readonly takesSafety: boolean;
}

/** Works out what a restore would do. Touches nothing. */
export async function planRestore(
  context: RunContext,
  request: RestoreRequest,
  signal: AbortSignal,
): Promise<RestorePlan> {
  const { source, manifest } = request;
  const shell = context.shell(source.container, request.run, source.settings.stopGraceMs);
  const preview = await source.engine.preview(shell, manifest, targetOf(request), source.settings.options, signal);
  if (request.as !== undefined) return { request, preview, stops: [], takesSafety: false };
  const { stops, refusals } = await inTheWay(context, source.container, preview.replaces, signal);
  return {
    request,
    preview: { ...preview, refusals: [...preview.refusals, ...refusals] },
    stops,
    takesSafety: !request.skipSafety,
  };
}

/** Throws when there are reasons why it must not be done. */
export function assertAllowed({ refusals }: Pick<RestorePreview, 'refusals'>): void {
  if (refusals.length === 0) return;
  throw new LifeboatError('RESTORE_REFUSED', refusals.join('; '), { hint: 'nothing was touched' });
}

/** Who runs now and must not while the owner's data is replaced; what is not of its stack is not ours to stop. */
export async function inTheWay(
  context: Pick<RunContext, 'containers' | 'neighbours'>,
  owner: Container,
  replaces: RestorePreview['replaces'] = [],
  signal: AbortSignal,
): Promise<{ readonly stops: readonly Container[]; readonly refusals: readonly string[] }> {
  const stack = (await context.containers(signal)).filter((other) => other.stack === owner.stack);
  const sharers = replaces.length === 0 ? [] : sharersOf(owner, replaces, await context.neighbours(signal));
  const isOurs = ({ id }: Container) => stack.some((other) => other.id === id);
  return {
    stops: stopsFor(owner, sharers.filter(isOurs), stack),
    refusals: sharers.filter((sharer) => !isOurs(sharer)).map((sharer) => foreignRefusal(sharer, replaces)),
  };
}

// --- utils ---

function foreignRefusal({ name, state }: Container, replaces: readonly string[]): string {
  const first = state === 'paused' ? `docker unpause ${name} && docker stop ${name}` : `docker stop ${name}`;
  return `container ${name} is not of this stack, mounts ${replaces.join(', ')} as well and would go on with the old data: ${first}, restore, docker start ${name}`;
}
