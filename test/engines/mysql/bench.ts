import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { Manifest } from '../../../src/domain/manifest.ts';
import type { Dump, RestoreSource, RestoreSteps, ReviewedArtifact, Survey } from '../../../src/engines/engine.ts';
import { mysql } from '../../../src/engines/mysql/index.ts';
import type { MysqlOptions } from '../../../src/engines/mysql/options.ts';
import {
  type ContainerOptions,
  docker,
  eventually,
  nastyPassword,
  shellOf,
  startContainer,
} from '../../support/testbed.ts';
import type { Product } from './seed.ts';

export const images: Readonly<Record<Product, string>> = { MariaDB: 'mariadb:11.8', MySQL: 'mysql:9' };
export const soon = () => AbortSignal.timeout(120_000);
export const silent: RestoreSteps = { staging: () => {}, checking: () => {}, switching: async () => {} };

export function options(given: object = {}): MysqlOptions {
  return mysql.options.parse(given) as MysqlOptions;
}

/** The init phase has a server too, on the socket only: ready means it answers on TCP. */
export async function ready(name: string, product: Product): Promise<void> {
  const admin = product === 'MariaDB' ? 'mariadb-admin' : 'mysqladmin';
  await eventually(() => docker('exec', name, admin, '-h127.0.0.1', '--silent', 'ping'));
}

export function environment(product: Product): Record<string, string> {
  return { [`${product.toUpperCase()}_ROOT_PASSWORD`]: nastyPassword };
}

export async function startServer(product: Product, more: ContainerOptions = {}) {
  const env = more.env ?? environment(product);
  const container = await startContainer(images[product], { ...more, env });
  await ready(container.name, product);
  return container;
}

/** A backup in memory. */
export interface Taken {
  readonly survey: Survey;
  readonly artifacts: readonly ReviewedArtifact[];
  readonly plain: ReadonlyMap<string, Buffer>;
  readonly source: RestoreSource;
}

export async function backUp(
  id: string,
  chosen: MysqlOptions,
  whileRead?: (dump: Dump) => Promise<void>,
): Promise<Taken> {
  const shell = await shellOf(id);
  const survey = await mysql.survey(shell, chosen, soon());
  const artifacts: ReviewedArtifact[] = [];
  const plain = new Map<string, Buffer>();
  for await (const dump of mysql.dump(shell, survey, chosen, { counts: 'exact' }, soon())) {
    const { name, kind, extension, facts, produce } = dump;
    const bytes =
      produce.from === 'text'
        ? Buffer.from(produce.text)
        : await buffer((await shell.output(produce.exec, soon())).stdout);
    const proof = await mysql.prove(shell, dump, Readable.from([bytes]), chosen, soon());
    const counts = [...((await dump.counts) ?? []), ...proof.counts];
    artifacts.push({ name, kind, extension, facts, plainBytes: bytes.length, counts });
    plain.set(`${kind} ${name}`, bytes);
    await whileRead?.(dump);
  }
  await mysql.review(shell, survey, artifacts, chosen, soon());
  const { product, version, identity } = survey;
  const manifest = { artifacts, server: { product, version, identity } } as unknown as Manifest;
  const open: RestoreSource['open'] = async ({ kind, name }) =>
    Readable.from([plain.get(`${kind} ${name}`) ?? Buffer.alloc(0)]);
  return { survey, artifacts, plain, source: { manifest, open } };
}

export async function putBack(
  id: string,
  taken: Taken,
  target: { readonly as?: string; readonly only?: readonly string[] } = {},
  steps = silent,
  chosen = options(),
) {
  return mysql.restore(await shellOf(id), taken.source, { suffix: 'test02', ...target }, chosen, steps, soon());
}
