import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { moduleArguments, modulesOf } from './modules.ts';

describe('the modules of a server', () => {
  it('are read from the flat answer', () => {
    const answer =
      'name\ngraph\nver\n41603\npath\n/m/falkordb.so\nargs\nCACHE_SIZE\n10\nname\nvectorset\nver\n1\npath\n\nargs\n';
    const modules = modulesOf(answer, new Map());
    assert.deepEqual(modules, [
      { name: 'graph', version: 41603, path: '/m/falkordb.so', args: ['CACHE_SIZE', '10'] },
      { name: 'vectorset', version: 1, path: '', args: [] },
    ]);
    assert.deepEqual(moduleArguments(modules), ['--loadmodule', '/m/falkordb.so', 'CACHE_SIZE', '10']);
  });

  it('are those of the command line where the server gives no paths', () => {
    const directives = new Map([['loadmodule', [['/m/graph.so', 'THREADS', '2']]]]);
    assert.deepEqual(modulesOf('name\ngraph\nver\n20801', directives), [
      { name: 'graph', version: 20801, path: '/m/graph.so', args: ['THREADS', '2'] },
    ]);
  });

  it('may be none', () => {
    assert.deepEqual(modulesOf('', new Map()), []);
  });
});
