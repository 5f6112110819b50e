import type { Container } from '../../domain/types.ts';
import type { Engine } from '../engine.ts';
import { byHand, dropLine } from './by-hand.ts';
import { createClient } from './client.ts';
import { dump, toolFacts } from './dump.ts';
import { MysqlOptions } from './options.ts';
import { preview } from './preview.ts';
import { prove, review } from './proof.ts';
import { recover } from './recover.ts';
import { restore } from './restore.ts';
import { survey } from './survey.ts';

const imagePattern =
  /(?:^|\/)(?:[\w.-]*(?:mysql|mariadb|percona-server|percona-xtradb-cluster)[\w.-]*|percona)(?:[:@]|$)|mysql\/community-server/;
/** Images that speak of MySQL but hold no data of it. */
const companionPattern =
  /exporter|phpmyadmin|adminer|proxysql|maxscale|router|backup|cron|toolkit|operator|workbench|shell|client|orchestrator|mongodb|postgres/;

export const mysql: Engine<MysqlOptions> = {
  name: 'mysql',
  options: MysqlOptions,
  recognise,
  dataPaths: () => ['/var/lib/mysql', '/bitnami/mysql', '/bitnami/mariadb', '/config/databases'],
  survey,
  dump: (_shell, found, options, _policy, signal) => dump(found, options, signal),
  prove: (_shell, artifact, plain, _options, signal) => prove(artifact, plain, signal),
  review: async (_shell, _survey, artifacts) => review(artifacts),
  preview: async (shell, manifest, target, options, signal) =>
    preview(await createClient(shell, options, signal), manifest, target, options, signal),
  restore: async (shell, from, target, options, steps, signal) => {
    const client = await createClient(shell, options, signal);
    const drop = (database: string) => dropLine(shell.container, database, toolFacts(client), options);
    return restore(client, from, target, steps, signal, drop);
  },
  recover: async (shell, unfinished, options, signal) =>
    recover(await createClient(shell, options, signal), unfinished, signal),
  byHand,
};

function recognise({ image, env }: Container): boolean {
  if (companionPattern.test(image)) return false;
  // The official images and their children set these, whatever they are called; Bitnami's tell their application.
  const isOfficial =
    env.MARIADB_VERSION !== undefined || (env.MYSQL_MAJOR !== undefined && env.MYSQL_VERSION !== undefined);
  return imagePattern.test(image) || isOfficial || ['mysql', 'mariadb'].includes(env.BITNAMI_APP_NAME ?? '');
}
