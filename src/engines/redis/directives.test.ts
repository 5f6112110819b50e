import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { connectArguments } from './connect.ts';
import { directivesOf, lastOf, launchOf } from './directives.ts';
import { RedisOptions } from './options.ts';
import { quotedWord } from './words.ts';

const launch = (command: readonly string[], env: Record<string, string> = {}) => launchOf({ command, env });
const passwordOf = (command: readonly string[], env: Record<string, string> = {}) =>
  lastOf(launch(command, env).directives, 'requirepass');

describe('the command line of a server', () => {
  it('is read behind the program or, for official entry points, from the first option', () => {
    assert.equal(passwordOf(['docker-entrypoint.sh', 'redis-server', '--requirepass', 'a b"c']), 'a b"c');
    assert.equal(passwordOf(['docker-entrypoint.sh', '--requirepass', 'x', '--appendonly', 'yes']), 'x');
    assert.equal(passwordOf(['valkey-server', '/etc/v.conf', '--requirepass', 'x']), 'x');
  });

  it('counts the last of several', () => {
    assert.equal(passwordOf(['redis-server', '--requirepass', 'first', '--requirepass', 'second']), 'second');
  });

  it('is found in a shell command, with quotes and variables of the container', () => {
    const env = { PASSWORD: `p'"w`, OTHER: 'o' };
    const script = (text: string) => passwordOf(['docker-entrypoint.sh', 'sh', '-c', text], env);
    assert.equal(script('exec redis-server --requirepass "$PASSWORD" --appendonly yes'), `p'"w`);
    assert.equal(script(`chown x /data && redis-server --requirepass \${OTHER}1; sleep 1`), 'o1');
    assert.equal(script("redis-server --requirepass '$PASSWORD'"), '$PASSWORD');
    assert.equal(script('redis-server --requirepass "a \\"b\\""'), 'a "b"');
  });

  it('is lengthened by the variables of an image, cut at spaces and nothing else', () => {
    const env = { REDIS_ARGS: '--requirepass p"w --databases 4' };
    assert.equal(passwordOf(['/var/lib/falkordb/bin/run.sh'], env), 'p"w');
    assert.deepEqual(launch(['/run.sh'], env).directives.get('databases'), [['4']]);
  });

  it('names its configuration file', () => {
    assert.equal(launch(['redis-server', '/etc/redis.conf', '--port', '1']).file, '/etc/redis.conf');
    assert.equal(launch(['docker-entrypoint.sh', '/etc/redis.conf']).file, '/etc/redis.conf');
    assert.equal(launch(['docker-entrypoint.sh', 'redis-server']).file, undefined);
  });

  it('keeps words of modules together', () => {
    const { directives } = launch(['redis-server', '--loadmodule', '/m.so', 'A', '1', '--loadmodule', '/n.so']);
    assert.deepEqual(directives.get('loadmodule'), [['/m.so', 'A', '1'], ['/n.so']]);
  });
});

describe('a configuration file', () => {
  it('is read as the server reads it', () => {
    const directives = directivesOf(
      '# requirepass no\n\n  requirepass "a\\x20\\"b\\n"\nPort 7000\nsave 60 1\nsave 1 1\nuser x on >\'it\\\'s\'',
    );
    assert.equal(lastOf(directives, 'requirepass'), 'a "b\n');
    assert.equal(lastOf(directives, 'port'), '7000');
    assert.deepEqual(directives.get('save'), [
      ['60', '1'],
      ['1', '1'],
    ]);
  });
});

describe('words for redis-cli', () => {
  it('are escaped byte by byte unless they are plain', () => {
    assert.equal(quotedWord('GRAPH.LIST'), 'GRAPH.LIST');
    assert.equal(quotedWord('a "b'), '"\\x61\\x20\\x22\\x62"');
    assert.equal(quotedWord(''), '""');
  });
});

describe('reaching the server', () => {
  const reach = (options: Record<string, unknown>, ...command: string[]) =>
    connectArguments({ env: {} }, RedisOptions.parse(options), launch(['redis-server', ...command]).directives);

  it('goes to the usual port, the one it was started with, or the one in the options', () => {
    assert.deepEqual(reach({}), ['-h', '127.0.0.1', '-p', '6379']);
    assert.deepEqual(reach({}, '--port', '7000'), ['-h', '127.0.0.1', '-p', '7000']);
    assert.deepEqual(reach({ port: '7001' }, '--port', '7000'), ['-h', '127.0.0.1', '-p', '7001']);
  });

  it('takes the socket of a server without a port', () => {
    assert.deepEqual(reach({ user: 'me' }, '--port', '0', '--unixsocket', '/run/r.sock'), [
      '-s',
      '/run/r.sock',
      '--user',
      'me',
    ]);
  });

  it('speaks TLS with a server that has no other port, with the certificates it was given', () => {
    const tls = ['--port', '0', '--tls-port', '6380', '--tls-cert-file', '/c', '--tls-key-file', '/k'];
    assert.deepEqual(reach({}, ...tls, '--tls-ca-cert-file', '/ca'), [
      ...['-h', '127.0.0.1', '-p', '6380', '--tls', '--cacert', '/ca', '--cert', '/c', '--key', '/k'],
    ]);
    assert.ok(reach({}, ...tls).includes('--insecure'));
    assert.ok(!reach({ tls: 'off' }, ...tls).includes('--tls'));
    assert.ok(!reach({}, '--tls-port', '6380').includes('--tls'));
  });
});
