import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container } from '../../domain/types.ts';
import { dataPaths, recognise } from './recognise.ts';

function container(image: string, command: readonly string[] = ['docker-entrypoint.sh'], env = {}): Container {
  return {
    ...{
      id: 'x',
      name: 'x',
      stack: 's',
      service: 's',
      number: 1,
      image,
      imageId: 'sha256:x',
      env,
      labels: {},
      command,
    },
    ...{ user: '', state: 'running', health: undefined, startedAt: '', restartCount: 0, oomKilled: false, mounts: [] },
    ...{ imageVolumes: [], dependsOn: [], networkMode: '', usernsMode: '' },
  };
}

describe('recognising a server', () => {
  it('knows the images of Redis, Valkey, FalkorDB and KeyDB, and what is made of them', () => {
    for (const image of [
      ...[
        'redis',
        'redis:8',
        'redis:7-alpine',
        'docker.io/library/redis:8@sha256:abc',
        'bitnami/redis:7.2',
        'valkey/valkey:8',
      ],
      ...[
        'redis/redis-stack:latest',
        'redis/redis-stack-server',
        'falkordb/falkordb:latest',
        'falkordb/falkordb-server:v4',
      ],
      ...['eqalpha/keydb', 'bitnami/valkey-cluster:8', 'registry:5000/team/my-redis:1', 'ghcr.io/x/cache_valkey'],
    ]) {
      assert.ok(recognise(container(image)), image);
    }
  });

  it('leaves companions and other servers alone', () => {
    for (const image of [
      ...[
        'oliver006/redis_exporter',
        'redis/redisinsight:2',
        'rediscommander/redis-commander',
        'bitnami/redis-sentinel:7',
      ],
      ...[
        'falkordb/falkordb-browser',
        'docker.dragonflydb.io/dragonflydb/dragonfly',
        'bitnami/redis-exporter',
        'postgres:17',
      ],
      ...['ghcr.io/x/redis-backup', 'my/redisearch-ui', 'redis-proxy:1'],
    ]) {
      assert.ok(!recognise(container(image)), image);
    }
  });

  it('looks at what runs: a server in any image, but no other program of the right one', () => {
    assert.ok(recognise(container('my/app', ['/usr/bin/redis-server', '*:6379'])));
    assert.ok(recognise(container('my/app', ['sh', '-c', 'exec valkey-server --port 1'])));
    assert.ok(!recognise(container('redis:8', ['docker-entrypoint.sh', 'redis-cli', '-h', 'x', 'MONITOR'])));
    assert.ok(!recognise(container('redis:8', ['docker-entrypoint.sh', 'redis-sentinel', '/s.conf'])));
    assert.ok(!recognise(container('redis:8', ['docker-entrypoint.sh', 'redis-server', '/s.conf', '--sentinel'])));
  });

  it('sees a child of the official image under another name', () => {
    assert.ok(recognise(container('shop/cache:1', ['docker-entrypoint.sh'], { REDIS_DOWNLOAD_URL: 'https://…' })));
  });
});

describe('where the data lies', () => {
  it('is told by the command line or the image', () => {
    assert.deepEqual(dataPaths(container('redis:8')), ['/data']);
    assert.deepEqual(dataPaths(container('redis:8', ['redis-server', '--dir', '/mnt/r'])), ['/mnt/r', '/data']);
    assert.deepEqual(dataPaths(container('falkordb/falkordb', ['/run.sh'], { FALKORDB_DATA_PATH: '/var/lib/f' })), [
      '/var/lib/f',
      '/data',
    ]);
    assert.ok(
      dataPaths(container('bitnami/redis', ['/opt/bitnami/scripts/redis/entrypoint.sh'])).includes(
        '/bitnami/redis/data',
      ),
    );
  });
});
