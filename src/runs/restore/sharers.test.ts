import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Container, Mount } from '../../domain/types.ts';
import { sharersOf, stopsFor } from './sharers.ts';

const container = (service: string, mounts: readonly Partial<Mount>[], more: Partial<Container> = {}): Container =>
  ({
    id: service,
    name: `shop-${service}-1`,
    service,
    state: 'running',
    dependsOn: [],
    mounts: mounts.map((mount) => ({ type: 'volume', target: '/data', readOnly: false, ...mount })),
    ...more,
  }) as unknown as Container;
const names = (containers: readonly Container[]) => containers.map(({ service }) => service);
const on = (...services: string[]) => services.map((service) => ({ service, condition: 'service_started' }) as const);

describe('who shares what a restore replaces', () => {
  it('takes everybody who runs with the same volume, wherever it is mounted and also read-only', () => {
    const app = container('app', [{ name: 'data' }]);
    const others = [
      app,
      container('worker', [{ name: 'data', target: '/srv' }]),
      container('reader', [{ name: 'data', readOnly: true }]),
      container('paused', [{ name: 'data' }], { state: 'paused' }),
      container('stopped', [{ name: 'data' }], { state: 'exited' }),
      container('another', [{ name: 'other' }]),
      container('memory', [{ type: 'tmpfs' }]),
    ];
    assert.deepEqual(names(sharersOf(app, ['/data/app.db'], others)), ['worker', 'reader', 'paused']);
    assert.deepEqual(sharersOf(app, [], others), []);
  });

  it('goes by the innermost mount above the path, and by nothing in a layer of its own', () => {
    const app = container('app', [{ name: 'data' }, { name: 'inner', target: '/data/inner/' }]);
    const others = [container('outer', [{ name: 'data' }]), container('inner', [{ name: 'inner' }])];
    assert.deepEqual(names(sharersOf(app, ['/data/inner/app.db'], others)), ['inner']);
    assert.deepEqual(names(sharersOf(app, ['/data/innermost.db'], others)), ['outer']);
    assert.deepEqual(sharersOf(app, ['/var/app.db'], others), []);
  });

  it('compares folders of a volume, and folders of the host', () => {
    const inVolume = container('app', [{ name: 'data', subpath: 'shop' }]);
    const parts = [
      container('same', [{ name: 'data', subpath: 'shop/' }]),
      container('whole', [{ name: 'data' }]),
      container('beside', [{ name: 'data', subpath: 'shop2' }]),
    ];
    assert.deepEqual(names(sharersOf(inVolume, ['/data/app.db'], parts)), ['same', 'whole']);
    const onHost = container('app', [{ type: 'bind', source: '/srv/shop' }]);
    const folders = [
      container('above', [{ type: 'bind', source: '/srv' }]),
      container('file', [{ type: 'bind', source: '/srv/shop/redis/dump.rdb' }]),
      container('beside', [{ type: 'bind', source: '/srv/shop2' }]),
      container('monitor', [{ type: 'bind', source: '/' }]),
    ];
    assert.deepEqual(names(sharersOf(onHost, ['/data/redis'], folders)), ['above', 'file']);
  });

  it('stops them with all that depends on them, each before what it depends on, and never the owner', () => {
    const app = container('app', [{ name: 'data' }], { dependsOn: on('worker') });
    const worker = container('worker', [{ name: 'data' }]);
    const web = container('web', [], { dependsOn: on('worker') });
    const proxy = container('proxy', [], { dependsOn: on('app', 'web') });
    const asleep = container('asleep', [], { dependsOn: on('app'), state: 'exited' });
    const stack = [worker, app, web, proxy, asleep];
    assert.deepEqual(names(stopsFor(app, [worker], stack)), ['proxy', 'web', 'worker']);
    assert.deepEqual(names(stopsFor(app, [], stack)), ['proxy']);
  });
});
