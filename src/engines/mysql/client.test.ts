import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { LifeboatError } from '../../domain/errors.ts';
import type { Command, Finished, Shell } from '../../domain/shell.ts';
import type { Survey } from '../engine.ts';
import { createClient } from './client.ts';
import { dump } from './dump.ts';
import { MysqlOptions } from './options.ts';
import { lines } from './rows.ts';

const options = MysqlOptions.parse({});
const signal = AbortSignal.timeout(10_000);
const server = {
  version: '9.7.4',
  socket: '/s',
  port: 3306,
  folder: '/d/',
  account: 'root@localhost',
  readOnly: '0',
  maxPacket: 1024,
};

/** A container whose client answers what `answer` says; the first connection is answered as a healthy server does. */
function fakeShell(
  answer: (input: string, command: Command) => Partial<Finished>,
): Shell & { readonly commands: Command[] } {
  const commands: Command[] = [];
  return {
    commands,
    container: { name: 'db', image: 'mysql:9', env: { MYSQL_ROOT_PASSWORD: 's3cret' } },
    text: async (command: Command) => {
      commands.push(command);
      return 'mysqldump\nmysql\nmysqldump  Ver 9.7.4 for Linux';
    },
    run: async (command: Command, input?: Readable | string) => {
      commands.push(command);
      const given = typeof input === 'string' ? input : input ? await text(input) : '';
      const known = given.includes('VERSION()') ? { stdout: `${JSON.stringify(server)}\n` } : answer(given, command);
      return { exitCode: 0, stdout: '', stderr: '', ...known };
    },
  } as unknown as Shell & { readonly commands: Command[] };
}

const code = (wanted: string) => (error: unknown) => error instanceof LifeboatError && error.code === wanted;

describe('the client of a server', () => {
  it('is content with a load only when the question after its last statement was answered', async () => {
    const answering = await createClient(
      fakeShell((sql) => ({ stdout: `1\n${/SELECT '(\w+)';\n$/.exec(sql)?.[1]}\n` })),
      options,
      signal,
    );
    await answering.load('INSERT INTO t VALUES (1);', 'shop');
    const silent = await createClient(
      fakeShell(() => ({ stdout: '1\n' })),
      options,
      signal,
    );
    await assert.rejects(silent.load('INSERT INTO t VALUES (1);', 'shop'), code('COMMAND_FAILED'));
    const refusing = await createClient(
      fakeShell(() => ({ exitCode: 1, stderr: 'ERROR 1062 (23000) at line 1: Duplicate' })),
      options,
      signal,
    );
    await assert.rejects(refusing.load(Readable.from([Buffer.from('x')]), 'shop'), /Duplicate/);
  });

  it('asks nothing more of a source that breaks', async () => {
    let seen = '';
    const client = await createClient(
      fakeShell((sql) => {
        seen += sql;
        return {};
      }),
      options,
      signal,
    );
    const broken = Readable.from(
      (async function* () {
        yield Buffer.from('INSERT INTO t VALUES (1);');
        throw new Error('the connection broke');
      })(),
    );
    await assert.rejects(client.load(broken, 'shop'), /the connection broke/);
    assert.equal(seen, '');
  });

  it('never shows the password in argv, nor the statement that was refused', async () => {
    const shell = fakeShell(() => ({
      exitCode: 1,
      stderr:
        "--------------\nCREATE USER x IDENTIFIED BY 'topsecret'\n--------------\n\nERROR 1064 (42000) at line 1: You have an error near 'topsecret'",
    }));
    const client = await createClient(shell, options, signal);
    await assert.rejects(client.run("CREATE USER x IDENTIFIED BY 'topsecret';"), (error) => {
      assert.ok(!String(error).includes('topsecret'), String(error));
      return code('COMMAND_FAILED')(error);
    });
    assert.ok(shell.commands.every(({ argv }) => !argv.join(' ').includes('s3cret')));
    assert.ok(shell.commands.some(({ env }) => env?.MYSQL_PWD === 's3cret'));
  });

  it('reads what the client prints in batch mode', () => {
    assert.deepEqual(lines('a\\tb\\\\n\tc\\nd\\0\nNULL\t\n'), [
      ['a\tb\\n', 'c\nd\0'],
      ['NULL', ''],
    ]);
  });

  it('does not believe a dump whose tool complained, whatever its exit code', async () => {
    const table = JSON.stringify({ database: 'shop', kind: 'BASE TABLE', name: 't', engine: 'InnoDB', extra: '' });
    const shape = JSON.stringify({ name: 'shop', characterSet: 'utf8mb4', collation: 'utf8mb4_bin' });
    const shell = fakeShell((sql) => ({ stdout: sql.includes('SCHEMATA') ? `${shape}\n` : `${table}\n` }));
    const client = await createClient(shell, options, signal);
    const survey = {
      items: [{ name: 'shop', kind: 'database' }],
      notes: { client, locked: new Set() },
    } as unknown as Survey;
    const saying = async (...said: string[]) => {
      for await (const { produce } of dump(survey, options, signal)) {
        assert.ok(produce.from === 'command');
        assert.deepEqual(produce.exec.argv.slice(-2), ['--', 'shop']);
        for (const line of said) produce.exec.onStderrLine?.(line);
      }
    };
    await saying('mysqldump: [Warning] something', "mysqldump: Error: 'denied' when trying to dump masking policies");
    for (const line of [
      'mysqldump: Got error: 1412: Table definition has changed',
      "mysqldump: Couldn't execute 'show events'",
      'mariadb-dump: app has insufficent privileges to SHOW CREATE PROCEDURE `p`!',
      'mysqldump: Error 2013: Lost connection to server during query when dumping table',
    ]) {
      await assert.rejects(saying('harmless', line), code('DUMP_INCOMPLETE'), line);
    }
  });
});
