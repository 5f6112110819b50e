import { exitCodes, LifeboatError } from '../domain/errors.ts';
import { many } from '../domain/many.ts';
import { shortId } from '../domain/naming.ts';
import type { Exported } from '../runs/export/export.ts';
import type { ReadingCommand } from './command.ts';
import { bytes } from './output.ts';
import { createProgress } from './progress.ts';
import { openSink, type Written } from './sink.ts';

export interface ExportOptions {
  readonly output?: string;
  readonly artifact?: string;
  readonly bundle?: boolean;
}

/**
 * `lifeboat export id|target[@when]`: a backup's plain bytes, or a whole set as a tar. Bytes go to standard output or a file,
 * everything else to standard error.
 */
export const exportBackup: ReadingCommand<ExportOptions> = async (context, [what], options) => {
  const { output, signal, now, destinations } = context;
  if (what === undefined)
    throw new LifeboatError('USAGE', 'export needs the id of a backup, or a target', { hint: 'lifeboat list' });
  if (options.bundle && options.artifact !== undefined) {
    throw new LifeboatError('USAGE', 'a bundle holds all artifacts: --artifact and --bundle exclude each other', {
      hint: 'leave one of them out',
    });
  }
  const isToFile = options.output !== undefined && options.output !== '-';
  await using sink = await openSink(options.output);
  const progress = createProgress(output);
  // Events as JSON lines would be in between the bytes.
  const isShown = output.progress === 'tty' || output.progress === 'plain';
  let read = 0;
  const ticker = setInterval(() => {
    const sizes = { plainBytes: read, storedBytes: read };
    const event = { type: 'progress', run: '', at: '', source: `${what}/export`, step: 'copy', ...sizes } as const;
    if (isShown) progress(event);
  }, 500);
  const runs = await import('../runs/export/export.ts');
  const act = options.bundle ? runs.exportBundle : runs.exportArtifact;
  try {
    const exported = await act(
      {
        destinations,
        now,
        warn: (message) => {
          progress.end();
          output.say(`${output.paint('yellow', '!')} ${message}`);
        },
        onRead: (count) => {
          read += count;
        },
      },
      { what, artifact: options.artifact },
      sink,
      signal,
    );
    const written = await sink.keep();
    progress.end();
    tell(context, exported, written, isToFile ? options.output : undefined);
    return exitCodes.ok;
  } finally {
    clearInterval(ticker);
    progress.end();
  }
};

// --- utils ---

function tell(
  { output }: Parameters<ReadingCommand>[0],
  { backups, artifact, destinations }: Exported,
  written: Written,
  file: string | undefined,
): void {
  if (output.json) {
    const brief = artifact && { name: artifact.name, kind: artifact.kind, file: artifact.file };
    const result = { backups, ...(brief ? { artifact: brief } : {}), destinations, output: file ?? '-', ...written };
    // Standard output belongs to the bytes.
    if (file === undefined) process.stderr.write(`${JSON.stringify(result)}\n`);
    else output.data(result);
    return;
  }
  const what = artifact
    ? `${artifact.kind} ${artifact.name} of ${shortId(backups[0] ?? '')}`
    : `${many(backups.length, 'backup')} (${backups.map(shortId).join(', ')})`;
  const mark = output.paint('green', '✔');
  output.say(`  sha256  ${written.sha256}  ${file ?? '-'}`);
  output.say(`${mark} exported ${what} from ${destinations.join(', ')}: ${bytes(written.bytes)}, every byte checked`);
}
