import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Artifact, Manifest } from '../../../src/domain/manifest.ts';
import type { Shell } from '../../../src/domain/shell.ts';
import type { Dump, RestoreTarget, Survey } from '../../../src/engines/engine.ts';
import { sqlite } from '../../../src/engines/sqlite/index.ts';
import type { SqliteOptions } from '../../../src/engines/sqlite/options.ts';
import { manifestOf } from '../../contracts/engine-backup.ts';

export const signal = () => AbortSignal.timeout(60_000);

export interface Dumped {
  readonly survey: Survey;
  readonly manifest: Manifest;
  readonly plain: ReadonlyMap<string, Buffer>;
}

export const defaults = sqlite.options.parse({});
export const optionsOf = (options: Partial<SqliteOptions>): SqliteOptions => ({ ...defaults, ...options });

/** A whole backup as a run makes it: surveyed, dumped, proved, reviewed. */
export async function backUp(shell: Shell, options = defaults): Promise<Dumped> {
  const survey = await sqlite.survey(shell, options, signal());
  const artifacts: Artifact[] = [];
  const plain = new Map<string, Buffer>();
  for await (const dump of sqlite.dump(shell, survey, options, { counts: 'exact' }, signal())) {
    const bytes = await read(shell, dump);
    const proof = await sqlite.prove(shell, dump, Readable.from([bytes]), options, signal());
    const { name, kind, facts } = dump;
    const stored = {
      file: name,
      plainBytes: bytes.length,
      storedBytes: bytes.length,
      storedSha256: '',
      codecs: [],
      byHand: '',
    };
    artifacts.push({
      name,
      kind,
      ...stored,
      facts: { ...facts },
      counts: [...((await dump.counts) ?? []), ...proof.counts],
    });
    plain.set(name, bytes);
  }
  await sqlite.review(
    shell,
    survey,
    artifacts.map((artifact) => ({ ...artifact, extension: '' })),
    options,
    signal(),
  );
  const manifest = manifestOf(sqlite, shell, survey, artifacts);
  return { survey, manifest, plain };
}

export async function read(shell: Shell, { produce }: Dump): Promise<Buffer> {
  assert.equal(produce.from, 'command');
  return buffer((await shell.output(produce.helper?.command ?? produce.exec, signal())).stdout);
}

export function restore(shell: Shell, { manifest, plain }: Dumped, target: Partial<RestoreTarget> = {}, at?: string[]) {
  const from = { manifest, open: async ({ name }: Artifact) => Readable.from([plain.get(name) ?? Buffer.alloc(0)]) };
  const steps = {
    staging: () => void at?.push('staging'),
    checking: () => void at?.push('checking'),
    switching: async () => void at?.push('switching'),
  };
  return sqlite.restore(shell, from, { suffix: 'abc123', ...target }, defaults, steps, signal());
}
