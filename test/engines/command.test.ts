import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { type ErrorCode, LifeboatError } from '../../src/domain/errors.ts';
import { command } from '../../src/engines/command/index.ts';
import type { CommandOptions } from '../../src/engines/command/options.ts';
import { testEngine } from '../contracts/engine.ts';
import { type ContainerOptions, docker, dockerWithInput, shellOf, startContainer } from '../support/testbed.ts';

const image = 'debian:trixie-slim';
const signal = () => AbortSignal.timeout(60_000);
const run = ['--init', '--stop-timeout', '1'];
const sleeper: ContainerOptions = { args: ['sleep', 'infinity'], run };

/** As it comes from labels: text. */
const parse = (options: Record<string, string>): CommandOptions => command.options.parse(options);
const archive = {
  run: 'tar -C /srv/data -cz .',
  restore: 'rm -rf /srv/data/* && tar -C /srv/data -xz',
  check: '["gzip", "-t"]',
  filename: 'data.tar.gz',
};

const sh = (name: string, script: string) => dockerWithInput(script, 'exec', '-i', name, 'sh', '-s');

const refusal = (code: ErrorCode, message?: RegExp) => (error: unknown) => {
  assert.ok(error instanceof LifeboatError, String(error));
  assert.equal(error.code, code, error.message);
  if (message) assert.match(error.message, message);
  return true;
};

testEngine('command', {
  engine: command,
  image,
  options: parse(archive),
  container: (password) => ({
    env: { PASSWORD: password },
    args: ['sh', '-c', 'mkdir -p /srv/data; sleep infinity'],
    run: [...run, '--label', `lifeboat.command=${archive.run}`],
  }),
  ready: async (name) => void (await sh(name, 'until [ -d /srv/data ]; do sleep 0.1; done')),
  seed: async (name) =>
    void (await sh(
      name,
      'cd /srv/data; seq 1 20000 >a; mkdir -p "b c"; head -c 300000 /dev/urandom >"b c/d"; chmod 640 a',
    )),
  fingerprint: (name) => sh(name, 'cd /srv/data; find . -type f -exec sha256sum {} + | sort; stat -c "%n %a" *'),
  damage: async (name) => void (await sh(name, 'cd /srv/data; echo more >>a; rm -r "b c"; touch later')),
  strictKinds: ['output'],
  byHandFingerprint: (name) => sh(name, 'cd /srv/data; find . -type f -exec sha256sum {} + | sort; stat -c "%n %a" *'),
});

describe('command', { concurrency: false }, () => {
  const prove = async (id: string, options: CommandOptions, bytes: string | Buffer) => {
    const artifact = { name: 'output', kind: 'output', extension: 'bin', facts: {} };
    const plain = Readable.from(bytes.length === 0 ? [] : [Buffer.from(bytes)]);
    return command.prove(await shellOf(id), artifact, plain, options, signal());
  };

  async function dump(id: string, options: CommandOptions): Promise<Buffer> {
    const shell = await shellOf(id);
    const survey = await command.survey(shell, options, signal());
    for await (const { produce } of command.dump(shell, survey, options, { counts: 'auto' }, signal())) {
      assert.equal(produce.from, 'command');
      return await buffer((await shell.output(produce.exec, signal())).stdout);
    }
    throw new Error('nothing was dumped');
  }

  it('reads a line for the shell of the container, or an array word by word', () => {
    assert.deepEqual(parse({ run: 'a "b c" | d' }).run, ['sh', '-c', 'a "b c" | d']);
    assert.deepEqual(parse({ run: '["a", "b c; rm -rf /", "$(x)"]' }).run, ['a', 'b c; rm -rf /', '$(x)']);
    for (const bad of ['[]', '[""]', '["a", 1]', '["a\\u0000b"]', '[a]', '', 'x'.repeat(70_000), 'a\u0000b']) {
      assert.equal(command.options.safeParse({ run: bad }).success, false, bad.slice(0, 20));
    }
    for (const bad of ['../x', 'a/b', '.hidden', '-rf', 'x'.repeat(101)]) {
      assert.equal(command.options.safeParse({ run: 'x', filename: bad }).success, false, bad);
    }
    assert.equal(command.options.safeParse({ restore: 'x' }).success, false, 'there is nothing to run');
  });

  it('is recognised by its labels alone', async () => {
    await using none = await startContainer(image, sleeper);
    assert.equal(command.recognise((await shellOf(none.id)).container), false);
    await using other = await startContainer(image, {
      ...sleeper,
      run: [...run, '--label', 'lifeboat.command.check=true'],
    });
    assert.equal(command.recognise((await shellOf(other.id)).container), true);
  });

  it('fault 90: passes words on as they are, to that container only', async () => {
    await using source = await startContainer(image, { ...sleeper, env: { SECRET: 'from the container' } });
    const words = ['printf', '%s|', '; touch /tmp/x', '$(touch /tmp/x)', 'a\nb', "it's", 'ü'];
    assert.equal(String(await dump(source.id, parse({ run: JSON.stringify(words) }))), `${words.slice(2).join('|')}|`);
    assert.equal(await docker('exec', source.name, 'ls', '/tmp'), '');
    assert.equal(
      String(await dump(source.id, parse({ run: 'echo "$SECRET"; id -un', user: 'nobody' }))),
      'from the container\nnobody\n',
    );
  });

  it('faults 1, 2, 3: fails with the last words of a command that fails, prints nothing, or is not there', async () => {
    await using source = await startContainer(image, sleeper);
    await assert.rejects(
      dump(source.id, parse({ run: 'head -c 500000 /dev/zero; echo disk on fire >&2; exit 3' })),
      refusal('COMMAND_FAILED', /exit code 3.*disk on fire/),
    );
    const empty = parse({ run: 'true' });
    assert.equal((await dump(source.id, empty)).length, 0);
    await assert.rejects(prove(source.id, empty, ''), refusal('DUMP_EMPTY'));
    await assert.rejects(prove(source.id, parse({ run: 'x', check: 'gzip -t' }), ''), refusal('DUMP_EMPTY'));
    await assert.rejects(dump(source.id, parse({ run: '["no-such-tool"]' })), refusal('TOOL_MISSING', /no-such-tool/));
    await assert.rejects(dump(source.id, parse({ run: 'no-such-tool' })), refusal('TOOL_MISSING'));
  });

  it('fault 11: a container that is paused is no silence without end', async () => {
    await using source = await startContainer(image, sleeper);
    await docker('pause', source.name);
    await assert.rejects(dump(source.id, parse({ run: 'echo x' })), refusal('SOURCE_NOT_RUNNING'));
    await docker('unpause', source.name);
  });

  it('says how little is known without a check command', async () => {
    await using source = await startContainer(image, sleeper);
    const options = parse({ run: 'echo x' });
    const { method } = await prove(source.id, options, 'some bytes');
    assert.equal(method, 'not empty (10B); no check command was given');
    const survey = await command.survey(await shellOf(source.id), options, signal());
    assert.match(survey.warnings.join(), /no lifeboat\.command\.check/);
    assert.match(survey.identity, /sha256:/);
    await assert.rejects(
      prove(source.id, parse({ run: 'x', 'min-bytes': '1kB' }), 'few'),
      refusal('PROOF_FAILED', /3B/),
    );
  });

  it('warns of a pipe, whose first part may fail unseen', async () => {
    await using source = await startContainer(image, sleeper);
    const warnings = async (run: string) =>
      (await command.survey(await shellOf(source.id), parse({ run, check: 'true' }), signal())).warnings.length;
    assert.equal(await warnings('false | cat'), 1);
    assert.equal(await warnings('false || echo x'), 0);
    assert.equal(await warnings('["bash", "-c", "set -o pipefail; false | cat"]'), 0);
  });

  it('reads on to the end when the check command has seen enough', async () => {
    await using source = await startContainer(image, sleeper);
    const options = parse({ run: 'x', check: 'head -c 10 >/dev/null' });
    let read = 0;
    async function* bytes() {
      for (let i = 0; i < 200; i++) {
        read += 100_000;
        yield Buffer.alloc(100_000, 'x');
      }
    }
    const artifact = { name: 'output', kind: 'output', extension: 'bin', facts: {} };
    const plain = Readable.from(bytes(), { objectMode: false });
    await command.prove(await shellOf(source.id), artifact, plain, options, signal());
    assert.equal(read, 20_000_000);
  });

  it('refuses to restore without a restore command, or under another name', async () => {
    await using source = await startContainer(image, sleeper);
    const shell = await shellOf(source.id);
    const refusals = async (options: Record<string, string>, as?: string) =>
      (await command.preview(shell, {} as never, { suffix: 'x', as }, parse(options), signal())).refusals.join();
    assert.match(await refusals({ run: 'x' }), /no lifeboat\.command\.restore/);
    assert.match(await refusals({ run: 'x', restore: 'cat' }, 'other'), /another name/);
    assert.equal(await refusals({ run: 'x', restore: 'cat' }), '');
    assert.equal(command.byHand(shell.container, {} as never, parse({ run: 'x', filename: 'a.bin' })), 'cat > a.bin');
  });
});
