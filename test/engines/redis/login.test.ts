import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { redis } from '../../../src/engines/redis/index.ts';
import { RedisOptions } from '../../../src/engines/redis/options.ts';
import { nastyPassword, shellOf, startContainer } from '../../support/testbed.ts';
import { isError, plainOptions, serverOf, signal } from './backup.ts';
import { redisCli } from './data.ts';

describe('redis logging in', { concurrency: false }, () => {
  const surveyed = async (id: string, options = plainOptions) => redis.survey(await shellOf(id), options, signal());

  it('finds the password in the configuration file, in a shell command, and in a secret file', async () => {
    const conf = `printf 'requirepass "a \\x22b"\\n' >/tmp/r.conf; printf 'from file\\n' >/tmp/secret;`;
    const run = async (script: string, env: Record<string, string>, password: string) => {
      const args = ['sh', '-c', `${conf} ${script}`];
      await using server = await serverOf('redis:8', { args, env }, { ...redisCli, password });
      assert.equal((await surveyed(server.id)).product, 'Redis');
    };
    await run('exec redis-server /tmp/r.conf', {}, 'a "b');
    await run('exec redis-server --requirepass "$CACHE_PW"', { CACHE_PW: nastyPassword }, nastyPassword);
    await run(
      'exec redis-server --requirepass "$(cat $REDIS_PASSWORD_FILE)"',
      { REDIS_PASSWORD_FILE: '/tmp/secret' },
      'from file',
    );
  });

  it('says what to set when it finds none, or the wrong one', async () => {
    const script = 'a=hid; exec redis-server --requirepass "$a""den"';
    await using server = await serverOf(
      'redis:8',
      { args: ['sh', '-c', script], env: { WRONG: 'wrong' } },
      { ...redisCli, password: 'hidden' },
    );
    await assert.rejects(surveyed(server.id), isError('LOGIN_FAILED', /NOAUTH|WRONGPASS/));
    const wrong = RedisOptions.parse({ 'password-env': 'WRONG' });
    await assert.rejects(surveyed(server.id, wrong), isError('LOGIN_FAILED', /WRONGPASS/));
    await assert.rejects(
      surveyed(server.id, RedisOptions.parse({ 'password-env': 'NONE' })),
      isError('LOGIN_FAILED', /no variable NONE/),
    );
    await assert.rejects(surveyed(server.id, RedisOptions.parse({ port: 7777 })), isError('COMMAND_FAILED', /refused/));
  });

  it('says when the image has no client', async () => {
    await using other = await startContainer('debian:trixie-slim', { args: ['sleep', '600'] });
    await assert.rejects(surveyed(other.id), isError('TOOL_MISSING', /redis-cli/));
  });
});
