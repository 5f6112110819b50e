import prettyBytes from 'pretty-bytes';
import type { Artifact, Manifest } from '../domain/manifest.ts';
import { backupPrefix } from '../domain/naming.ts';
import type { Store } from '../stores/store.ts';

/** The page for the day on which Lifeboat is not at hand. */
export const recoveryFile = 'RECOVERY.md';

/** Writes the page to the root of the destination, over the one before. */
export async function writeRecovery(
  store: Store,
  newest: readonly Manifest[],
  now: Date,
  signal: AbortSignal,
): Promise<void> {
  await store.put(recoveryFile, Buffer.from(renderRecovery(newest, store.location, now)), {}, signal);
}

/** The page, from the newest manifest of each source. It holds names, sizes and commands, never a secret. */
export function renderRecovery(newest: readonly Manifest[], location: string, now: Date): string {
  const sources = newest.toSorted((a, b) => (backupPrefix(a, '') < backupPrefix(b, '') ? -1 : 1));
  return `${[head(location, now), ...sources.map(section)].join('\n\n')}\n`;
}

function head(location: string, now: Date): string {
  return `# How to restore these backups by hand

These backups were made by Lifeboat, and you do not need Lifeboat to read them. Written ${now.toISOString()} for ${plain(location)}.

Each backup is a folder: \`<stack>/<service>/<source>/<time>-<name>/\`. A folder without \`manifest.json\` is no backup.
\`manifest.json\` lists the files with their sizes and SHA-256, and under \`byHand\` the line that restores each of them.
The names of folders sort by time; below is the newest backup of every source, older ones are restored in the same way.

1. Copy the folder to the machine with the database (from object storage with any S3 client).
2. Check it: \`sha256sum\` must print what stands below.
3. Run the line of each file, in the order given, into an **empty** database or folder first, and look at the result.

If there is \`NAME.001\` beside \`NAME\`, the file was too large for one object: \`cat NAME NAME.[0-9]* > NAME.whole\`.`;
}

function section(manifest: Manifest): string {
  const folder = backupPrefix(manifest, manifest.id);
  const { product, version } = manifest.server;
  const lines = manifest.artifacts.flatMap((artifact) => [`# ${describe(artifact)}`, oneLine(artifact.byHand)]);
  const sums = manifest.artifacts.map(({ storedSha256, file }) => `${storedSha256}  ${oneLine(file)}`);
  return `## ${plain(manifest.stack)}: ${plain(manifest.service)}/${plain(manifest.source)}

Backup of ${manifest.finishedAt}, ${plain(product)} ${plain(version)}, in \`${folder}\`

\`\`\`\`sh
cd ${folder}
sha256sum -c <<'SUMS'
${sums.join('\n')}
SUMS
${lines.join('\n')}
\`\`\`\``;
}

function describe({ name, kind, storedBytes, plainBytes }: Artifact): string {
  return oneLine(`${kind} ${name}: ${prettyBytes(storedBytes)} here, ${prettyBytes(plainBytes)} restored`);
}

/** Names come from databases: they may not break out of their line. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ');
}

function plain(text: string): string {
  return oneLine(text).replace(/[\\`*_<>[\]#|]/g, '\\$&');
}
