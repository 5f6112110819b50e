import { ready as mysqlReady } from '../../engines/mysql/bench.ts';
import * as sql from '../../engines/mysql/seed.ts';
import { damagePostgres, postgresFingerprint, seedPostgres } from '../../engines/postgres-seed.ts';
import * as redis from '../../engines/redis/data.ts';
import * as graphs from '../../engines/redis/graphs.ts';
import * as sqlite from '../../engines/sqlite/seed.ts';
import { postgresReady, type Tools } from '../../support/postgres.ts';
import { composeText } from '../../support/stack.ts';
import { docker, eventually, nastyPassword } from '../../support/testbed.ts';

/** One service of the stack, and how its data is made, read and damaged. */
export interface Server {
  readonly service: string;
  /** Its part of the Compose file. Not one label unless the image has no tools; its data is on the volume `<service>-data`. */
  readonly compose: string;
  ready(name: string): Promise<void>;
  seed(name: string): Promise<void>;
  fingerprint(name: string): Promise<string>;
  damage(name: string): Promise<void>;
}

const password = composeText(nastyPassword);

function postgres(service: string, image: string, home = '/var/lib/postgresql/data', tools?: Tools): Server {
  return {
    service,
    compose: `
    image: ${image}
    environment: { POSTGRES_DB: shop, POSTGRES_PASSWORD: ${password} }
    volumes: ["${service}-data:${home}"]${tools ? `\n    labels: { lifeboat.postgres.tools-image: "${tools.image}" }` : ''}`,
    ready: (name) => postgresReady(name, tools),
    seed: (name) => seedPostgres(name, tools),
    fingerprint: (name) => postgresFingerprint(name, tools),
    damage: (name) => damagePostgres(name, tools),
  };
}

function mysql(service: string, image: string, product: sql.Product): Server {
  return {
    service,
    compose: `
    image: ${image}
    environment: { ${product.toUpperCase()}_ROOT_PASSWORD: ${password} }
    volumes: ["${service}-data:/var/lib/mysql"]`,
    ready: (name) => mysqlReady(name, product),
    seed: async (name) => void (await sql.runSql(name, product, sql.seed(product))),
    fingerprint: (name) => sql.fingerprint(name, product),
    damage: async (name) => void (await sql.runSql(name, product, sql.damage)),
  };
}

function plainRedis(service: string, image: string, as: redis.Cli, command: string, extra = ''): Server {
  return {
    service,
    compose: `
    image: ${image}
    command: ${command}
    volumes: ["${service}-data:/data"]`,
    ready: (name) => redis.ready(name, as),
    seed: (name) => redis.commands(name, as, redis.seed + extra),
    fingerprint: (name) => redis.fingerprint(name, as),
    damage: (name) => redis.damage(name, as),
  };
}

const graph: Server = {
  service: 'graph',
  compose: `
    image: falkordb/falkordb:latest
    environment: { REDIS_ARGS: ${composeText(`--requirepass ${graphs.graphPassword} --appendonly yes`)} }
    volumes: ["graph-data:/var/lib/falkordb/data"]`,
  ready: (name) => redis.ready(name, graphs.graphCli),
  seed: graphs.seedGraphs,
  fingerprint: graphs.graphFingerprint,
  damage: graphs.damageGraphs,
};

/** Two databases in one volume: one in WAL mode, one with a rollback journal. */
const files = ['/data/app.db', '/data/sub folder/b.sqlite3'] as const;
const app: Server = {
  service: 'app',
  compose: `
    image: lifeboat-testbed/sqlite-app
    command: sleep infinity
    healthcheck: { test: ["CMD", "true"], interval: 1s, retries: 60 }
    init: true
    volumes: ["app-data:/data"]`,
  ready: (name) => eventually(async () => void (await docker('exec', name, 'true'))),
  seed: async (name) => void (await sqlite.inApp(name, sqlite.seed, ...files)),
  fingerprint: (name) => sqlite.inApp(name, sqlite.fingerprint, ...files).catch(() => 'a file is missing'),
  damage: async (name) => void (await sqlite.inApp(name, sqlite.damage, ...files)),
};

export const newest: readonly Server[] = [
  postgres('db', 'postgres:17'),
  mysql('legacy', 'mariadb:11.8', 'MariaDB'),
  mysql('sql', 'mysql:9', 'MySQL'),
  plainRedis('cache', 'redis:8', redis.redisCli, 'redis-server --appendonly yes', redis.fieldExpiry),
  plainRedis('queue', 'valkey:8', { tool: 'valkey-cli' }, 'valkey-server'),
  graph,
  app,
];

export const older: readonly Server[] = [
  postgres('pg15', 'postgres:15'),
  postgres('pg16', 'lifeboat-testbed/postgres-toolless:16', undefined, {
    image: 'postgres:17',
    password: nastyPassword,
  }),
  postgres('pg18', 'postgres:18', '/var/lib/postgresql'),
];
