import type { Engine } from '../engine.ts';
import { byHand, dropLine } from './by-hand.ts';
import { createClient } from './client.ts';
import { dump } from './dump.ts';
import { PostgresOptions } from './options.ts';
import { preview } from './preview.ts';
import { prove, review } from './proof.ts';
import { recover } from './recover.ts';
import { restore } from './restore.ts';
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
  loadsFromFile: ({ kind }) => kind === 'database',
  preview: async (shell, manifest, target, options, signal) =>
    preview(await createClient(shell, options, signal), manifest, target, options, signal),
  restore: async (shell, from, target, options, steps, signal) =>
    restore(await createClient(shell, options, signal), from, target, steps, signal, (database) =>
      dropLine(shell.container, database, options),
    ),
  recover: async (shell, unfinished, options, signal) =>
    recover(await createClient(shell, options, signal), unfinished, signal),
  byHand,
};
