import { shellQuote } from '../../domain/naming.ts';
import type { Container } from '../../domain/types.ts';
import type { ArtifactFacts, Engine } from '../engine.ts';
import { createClient } from './client.ts';
import { dump } from './dump.ts';
import { PostgresOptions } from './options.ts';
import { prove, review } from './proof.ts';
import { preview, restore } from './restore.ts';
import { survey } from './survey.ts';

/** Last path component of an image name, without tag and digest. */
const imagePattern = /(?:^|\/)(?:[\w.-]*(?:postgres|postgis|timescaledb|pgvector|pgautoupgrade)[\w.-]*)(?:[:@]|$)/;
/** Images that speak of PostgreSQL but hold no data of it. */
const companionPattern = /(?:exporter|pgadmin|pgbouncer|postgrest|pgpool|backup|postgres-operator|adminer)/;

export const postgres: Engine<PostgresOptions> = {
  name: 'postgres',
  options: PostgresOptions,
  recognise: (container) => {
    const { image } = container;
    if (companionPattern.test(image)) return false;
    // The official image and its children set PG_MAJOR and PGDATA, whatever they are called.
    return imagePattern.test(image) || (container.env.PG_MAJOR !== undefined && container.env.PGDATA !== undefined);
  },
  dataPaths: (container) =>
    [container.env.PGDATA, '/var/lib/postgresql', '/bitnami/postgresql'].filter((path) => path !== undefined),
  survey,
  dump: (shell, found, _options, policy, signal) => dump(shell, found, policy, signal),
  prove: (shell, artifact, plain, options, signal) => prove(shell, artifact, plain, options, signal),
  review: async (_shell, _survey, artifacts) => review(artifacts),
  preview: async (shell, manifest, target, options, signal) =>
    preview(await createClient(shell, options, signal), manifest, target, signal),
  restore: async (shell, from, target, options, steps, signal) =>
    restore(await createClient(shell, options, signal), from, target, steps, signal),
  byHand,
};

function byHand(container: Container, artifact: ArtifactFacts, options: PostgresOptions): string {
  const user = options.user ?? container.env.POSTGRES_USER ?? container.env.POSTGRESQL_USERNAME ?? 'postgres';
  const tools = options['tools-image'];
  const run = tools
    ? `docker run --rm -i --network container:${container.name} -e PGPASSWORD ${shellQuote(tools)}`
    : `docker exec -i ${container.name}`;
  const host = tools ? ' -h 127.0.0.1' : '';
  const as = `-U ${shellQuote(user)}${host}`;
  if (artifact.kind === 'globals') return `${run} psql ${as} -d postgres`;
  // A name of its own for each database, and one that no tool reads as an option or a connection string.
  const beside = `restored_${artifact.name.replace(/[^A-Za-z0-9]+/g, '_').slice(0, 50)}`;
  const script = `createdb ${as} -T template0 ${beside} && pg_restore ${as} --exit-on-error -d ${beside}`;
  return `${run} sh -c ${shellQuote(script)}`;
}
