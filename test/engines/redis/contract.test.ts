import { redis } from '../../../src/engines/redis/index.ts';
import { testEngine } from '../../contracts/engine.ts';
import { nastyPassword } from '../../support/testbed.ts';
import { type Cli, commands, damage, fieldExpiry, fingerprint, ready, redisCli, seed } from './data.ts';
import { damageGraphs, graphCli, graphFingerprint, graphPassword, seedGraphs } from './graphs.ts';

/** A case of the contract for a server with plain types. */
function testServer(title: string, image: string, as: Cli, args: readonly string[], extra = ''): void {
  testEngine(title, {
    engine: redis,
    image,
    container: () => ({ args }),
    ready: (name) => ready(name, as),
    seed: (name) => commands(name, as, seed + extra),
    fingerprint: (name) => fingerprint(name, as),
    damage: (name) => damage(name, as),
    strictKinds: ['rdb'],
    byHandFingerprint: (name) => fingerprint(name, as),
  });
}

testServer(
  'redis:8, password, no AOF',
  'redis:8',
  { ...redisCli, password: nastyPassword },
  ['redis-server', '--requirepass', nastyPassword],
  fieldExpiry,
);
testServer('redis:8 with AOF', 'redis:8', redisCli, ['--appendonly', 'yes'], fieldExpiry);
testServer('valkey:8', 'valkey:8', { tool: 'valkey-cli' }, []);

testEngine('falkordb:4, password, AOF, graphs of many parts', {
  engine: redis,
  image: 'falkordb:4',
  container: () => ({
    env: { REDIS_ARGS: `--requirepass ${graphPassword} --appendonly yes`, FALKORDB_ARGS: 'VKEY_MAX_ENTITY_COUNT 10' },
  }),
  ready: (name) => ready(name, graphCli),
  seed: seedGraphs,
  fingerprint: graphFingerprint,
  damage: damageGraphs,
  strictKinds: ['rdb'],
  byHandFingerprint: graphFingerprint,
});
