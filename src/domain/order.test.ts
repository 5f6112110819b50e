import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { dependants, stopOrder } from './order.ts';
import type { Container } from './types.ts';

function container(service: string, ...needs: string[]): Container {
  const dependsOn = needs.map((name) => ({ service: name, condition: 'service_started' as const }));
  return { service, dependsOn } as unknown as Container;
}

const names = (containers: readonly Container[]) => containers.map(({ service }) => service);

describe('order of stopping', () => {
  it('takes all that depend on a service, through others too, and nothing else', () => {
    const stack = [container('db'), container('api', 'db'), container('web', 'api', 'cache'), container('cache')];
    assert.deepEqual(names(dependants('db', stack)), ['web', 'api']);
    assert.deepEqual(names(dependants('cache', stack)), ['web']);
    assert.deepEqual(names(dependants('web', stack)), []);
  });

  it('stops each before what it depends on', () => {
    const order = names(
      stopOrder([container('a'), container('b', 'a'), container('c', 'b', 'a'), container('d', 'c')]),
    );
    assert.deepEqual(order, ['d', 'c', 'b', 'a']);
  });

  it('ends on a circle', () => {
    assert.equal(stopOrder([container('a', 'b'), container('b', 'a')]).length, 2);
    assert.deepEqual(names(dependants('a', [container('a', 'b'), container('b', 'a')])), ['b']);
  });
});
