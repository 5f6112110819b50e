import { type Manifest, manifestFormat } from '../../src/domain/manifest.ts';

/** A whole manifest with the given fields replaced. */
export function sampleManifest(fields: Partial<Manifest> = {}): Manifest {
  const id = fields.id ?? '20261121-030000-k3f9a2';
  const finishedAt = `${id.slice(0, 4)}-${id.slice(4, 6)}-${id.slice(6, 8)}T${id.slice(9, 11)}:${id.slice(11, 13)}:${id.slice(13, 15)}.000Z`;
  return {
    format: manifestFormat,
    id,
    set: '20261121-030000-s3t3t3',
    stack: 'shop',
    service: 'db',
    source: 'postgres',
    engine: 'postgres',
    lifeboat: '0.1.0',
    trigger: 'schedule',
    startedAt: finishedAt,
    finishedAt,
    server: { product: 'PostgreSQL', version: '17.2', identity: '7301' },
    container: { id: 'c0ffee', name: 'shop-db-1', number: 1, image: 'postgres:17', imageId: 'sha256:abc' },
    tool: { name: 'pg_dump', version: '17.2' },
    path: { taken: 'pipe', why: 'above 64 MiB' },
    consistency: 'each database at its own snapshot',
    options: { databases: 'all' },
    artifacts: [
      {
        name: 'shop',
        kind: 'database',
        file: 'shop.dump.zst',
        plainBytes: 1_035_000_000,
        plainSha256: 'b'.repeat(64),
        storedBytes: 207_000_000,
        storedSha256: 'c'.repeat(64),
        codecs: [{ name: 'zstd' }],
        facts: { owner: 'app', encoding: 'UTF8' },
        counts: [{ how: 'exact', objects: { tables: 12, rows: 100_000 } }],
        byHand: 'zstd -dc shop.dump.zst | pg_restore -U postgres -d shop',
      },
    ],
    seals: [{ seal: 'exit', proof: 'pg_dump exited with 0' }],
    warnings: [],
    ...fields,
  };
}
