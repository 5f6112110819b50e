import type { Codec } from '../../codecs/codec.ts';
import type { Shell } from '../../domain/shell.ts';
import type { Survey } from '../../engines/engine.ts';
import type { RunLog } from '../history/run-log.ts';
import type { Source } from '../source.ts';
import { type OpenDraft, storeDump } from './data-path.ts';
import type { FinishedDump } from './manifest.ts';
import { createWayChooser } from './way.ts';

/** Dumps one artifact after the other, each to every destination that has not failed yet. */
export async function dumpAll(
  source: Source,
  shell: Shell,
  survey: Survey,
  codecs: readonly Codec[],
  drafts: readonly OpenDraft[],
  log: RunLog,
  signal: AbortSignal,
): Promise<FinishedDump[]> {
  const stored: FinishedDump[] = [];
  const ways = createWayChooser(source, shell);
  const expected = survey.items.reduce((total, { bytes }) => total + (bytes ?? 0), 0) || undefined;
  for await (const dump of source.engine.dump(
    shell,
    survey,
    source.settings.options,
    { counts: source.settings.counts, pipeFromBytes: ways.pipeFromBytes },
    signal,
  )) {
    const before = {
      plainBytes: stored.reduce((n, entry) => n + entry.artifact.plainBytes, 0),
      storedBytes: stored.reduce((n, entry) => n + entry.artifact.storedBytes, 0),
    };
    const onProgress = (now: typeof before) =>
      log.progress(
        source.name,
        'dump',
        { plainBytes: before.plainBytes + now.plainBytes, storedBytes: before.storedBytes + now.storedBytes },
        expected,
      );
    const alive = drafts.filter(
      ({ destination }) => !stored.some(({ lost }) => lost.some((entry) => entry.destination === destination)),
    );
    const result = await log.step(source.name, 'dump', dump.name, async () => {
      const size = survey.items.find((item) => item.name === dump.name && item.kind === dump.kind)?.bytes;
      const way = await ways.choose(dump, size, signal);
      return storeDump({ source, shell, dump, way, codecs, drafts: alive, onProgress }, signal);
    });
    stored.push({ ...result, extension: dump.extension });
  }
  return stored;
}
