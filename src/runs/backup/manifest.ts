import { type Manifest, manifestFormat, type Seal } from '../../domain/manifest.ts';
import type { BackupId } from '../../domain/naming.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Review, Survey } from '../../engines/engine.ts';
import type { Source } from '../source.ts';
import type { StoredDump } from './data-path.ts';
import type { Way } from './way.ts';

/** A stored dump with the extension of its plain bytes. */
export interface FinishedDump extends StoredDump {
  readonly extension: string;
}

/** What is known when all dumps of a source are stored. */
export interface BackupFacts {
  readonly version: string;
  readonly source: Source;
  readonly shell: Shell;
  readonly survey: Survey;
  readonly review: Review;
  readonly set: string;
  readonly trigger: Manifest['trigger'];
  readonly id: BackupId;
  readonly startedAt: Date;
  readonly finishedAt: Date;
  readonly stored: readonly FinishedDump[];
}

/** The manifest of a backup whose artifacts are all stored and proved; what makes it one when it is published. */
export function composeManifest(facts: BackupFacts): Manifest {
  const { source, survey, review, stored } = facts;
  const { id, name, number, image, imageId } = facts.shell.container;
  const path = pathOf(stored);
  return {
    format: manifestFormat,
    id: facts.id,
    set: facts.set,
    stack: source.stack,
    service: source.service,
    source: source.source,
    engine: source.engine.name,
    lifeboat: facts.version,
    trigger: facts.trigger,
    startedAt: facts.startedAt.toISOString(),
    finishedAt: facts.finishedAt.toISOString(),
    server: { product: survey.product, version: survey.version, identity: survey.identity },
    container: { id, name, number, image, imageId },
    tool: survey.tool,
    path: { taken: path.taken, why: path.why },
    consistency: survey.consistency,
    options: { ...(source.settings.options as Record<string, unknown>) },
    artifacts: stored.map(({ artifact }) => artifact),
    seals: sealsOf(facts),
    warnings: [...survey.warnings, ...review.warnings],
    ...(review.lacks && review.lacks.length > 0 ? { lacks: [...review.lacks] } : {}),
  };
}

function sealsOf({ shell, review, stored }: BackupFacts): Seal[] {
  const { container } = shell;
  const isReadBack = stored.every(({ confirmed }) => confirmed === 'read-back');
  return [
    { seal: 'stream', proof: byCarrier(stored, streamProofs) },
    { seal: 'exit', proof: byCarrier(stored, exitProofs) },
    { seal: 'identity', proof: `one life of container ${container.id.slice(0, 12)}, started ${container.startedAt}` },
    { seal: 'structure', proof: [...new Set(stored.map(({ proof }) => proof.method))].join('; ') },
    { seal: 'logic', proof: review.method },
    {
      seal: 'stored',
      proof: isReadBack
        ? 'stored bytes were read back and hashed'
        : 'the store confirmed a checksum it computed itself',
    },
    { seal: 'manifest', proof: 'written after all artifacts' },
  ];
}

type Proofs = Readonly<Record<Way['carrier'], string>>;

const streamProofs: Proofs = {
  pipe: 'the pipe was closed only after the helper had ended',
  relay: 'the dump ended behind its own random trailer',
  none: 'made of answers of the server',
};
const exitProofs: Proofs = {
  pipe: 'exit code 0 of the helper',
  relay: 'exit code 0, told in band and by the Engine',
  none: 'no command of its own',
};

/** What is proved of the artifacts, with their names where it is not the same for all. */
function byCarrier(stored: readonly FinishedDump[], proofs: Proofs): string {
  const groups = Map.groupBy(stored, ({ way }) => way.carrier);
  return [...groups]
    .map(([carrier, dumps]) => {
      const names = dumps.map(({ artifact }) => artifact.name).join(', ');
      return groups.size === 1 ? proofs[carrier] : `${names}: ${proofs[carrier]}`;
    })
    .join('; ');
}

/** The way of the largest artifact speaks for the backup. */
function pathOf(stored: readonly FinishedDump[]): Way {
  const [largest] = stored.toSorted((a, b) => b.artifact.plainBytes - a.artifact.plainBytes);
  return largest?.way ?? { taken: 'exec', why: 'nothing was dumped', carrier: 'none', isLarge: false };
}
