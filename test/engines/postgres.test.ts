import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { it } from 'node:test';
import { promisify } from 'node:util';
import { createClient } from '../../src/engines/postgres/client.ts';
import { postgres } from '../../src/engines/postgres/index.ts';
import { whatIsLacking } from '../../src/engines/postgres/lacking.ts';
import { databaseShape } from '../../src/engines/postgres/shape.ts';
import { makeStaged } from '../../src/engines/postgres/staged.ts';
import { testEngine } from '../contracts/engine.ts';
import { sampleManifest } from '../samples/manifest.ts';
import { postgresReady, psql } from '../support/postgres.ts';
import { docker, eventually, everyVersion, nastyPassword, shellOf, startContainer } from '../support/testbed.ts';
import { damagePostgres, postgresArtifact, postgresFingerprint, seedPostgres } from './postgres-seed.ts';

/** So that databases of another locale provider than the server's are seen to keep theirs. */
const byIcu = { POSTGRES_INITDB_ARGS: '--locale-provider=icu --icu-locale=en' };

/** Every version of PostgreSQL is held to the same promises; without tools in the image, by those of another. */
export function testPostgres(image: string, toolsImage?: string, usesPipes = false): void {
  const tools = toolsImage === undefined ? undefined : { image: toolsImage, password: nastyPassword };
  testEngine(`${image}${usesPipes ? ' through pipes' : ''}`, {
    usesPipes,
    engine: postgres,
    image,
    ...(toolsImage ? { options: postgres.options.parse({ 'tools-image': toolsImage }) } : {}),
    container: (password) => ({ env: { POSTGRES_PASSWORD: password, POSTGRES_DB: 'shop', ...byIcu } }),
    ready: (name) => postgresReady(name, tools),
    seed: (name) => seedPostgres(name, tools),
    fingerprint: (name) => postgresFingerprint(name, tools),
    damage: (name) => damagePostgres(name, tools),
    leavingOut: { 'exclude-databases': '*' },
    strictKinds: [],
    byHandFingerprint: (name, artifact, isRestored) => postgresArtifact(name, artifact, isRestored, tools),
    byHandEnvironment: { PGPASSWORD: nastyPassword },
  });
}

testPostgres('postgres:17');
testPostgres('postgres:17', undefined, true);
if (everyVersion) {
  testPostgres('postgres:15');
  testPostgres('lifeboat-testbed/postgres-toolless:16', 'postgres:17');
  testPostgres('postgres:18');
}

it('fault 21: the script of roles, the one dump that is plain SQL, is refused when it is cut at any place', async () => {
  await using server = await startContainer('postgres:17', { env: { POSTGRES_PASSWORD: nastyPassword } });
  await postgresReady(server.name);
  await psql(
    server.name,
    'CREATE ROLE "PostgreSQL database cluster dump complete" PASSWORD \'x\'; CREATE ROLE b',
    'postgres',
  );
  const shell = await shellOf(server.id);
  const options = postgres.options.parse({});
  const signal = AbortSignal.timeout(60_000);
  const survey = await postgres.survey(shell, options, signal);
  for await (const dump of postgres.dump(shell, survey, options, { counts: 'auto' }, signal)) {
    if (dump.kind !== 'globals') break;
    assert.ok(dump.produce.from === 'command');
    const whole = await buffer((await shell.output(dump.produce.exec, signal)).stdout);
    const prove = (bytes: Buffer) => postgres.prove(shell, dump, Readable.from([bytes]), options, signal);
    assert.deepEqual((await prove(whole)).counts, [{ how: 'dump', objects: { roles: 3 } }]);
    for (let cut = 0; cut < whole.length; cut += 1) {
      await assert.rejects(prove(whole.subarray(0, cut)), { code: 'PROOF_FAILED' }, `cut at ${cut}`);
    }
  }
});

it('a database keeps the tablespace that its tables lie in, and does without on a server that has none of the name', async () => {
  const start = async () => {
    const server = await startContainer('postgres:17', { env: { POSTGRES_PASSWORD: nastyPassword } });
    await postgresReady(server.name);
    return server;
  };
  await using source = await start();
  await using fresh = await start();
  const signal = AbortSignal.timeout(60_000);
  const where = `SELECT spcname FROM pg_database d JOIN pg_tablespace t ON t.oid = dattablespace WHERE datname = 'copy'`;
  await docker('exec', source.name, 'install', '-d', '-o', 'postgres', '/fast');
  await psql(source.name, `CREATE TABLESPACE "fa st" LOCATION '/fast'`, 'postgres');
  await psql(source.name, 'CREATE DATABASE shop TABLESPACE "fa st"', 'postgres');
  const clientOf = async ({ id }: { id: string }) =>
    createClient(await shellOf(id), postgres.options.parse({}), signal);
  await using shop = await (await clientOf(source)).connect('shop', signal);
  const [sample] = sampleManifest().artifacts;
  assert.ok(sample);
  const artifact = { ...sample, name: 'shop', facts: { shape: await databaseShape(shop) } };
  for (const [server, tablespace, told] of [
    [source, 'fa st', []],
    [fresh, 'pg_default', [/^database shop lies in the tablespace fa st, .* default one$/]],
  ] as const) {
    await using admin = await (await clientOf(server)).connect('postgres', signal);
    const { warnings } = await whatIsLacking(admin, [artifact]);
    assert.equal(warnings.length, told.length);
    for (const [i, pattern] of told.entries()) assert.match(warnings[i] ?? '', pattern);
    await makeStaged(admin, { name: 'copy', target: 'shop', artifact }, signal);
    assert.equal(await psql(server.name, where, 'postgres'), tablespace);
  }
});

it('the line for people reaches a server on a port of its own that wants a password on its socket as well', async () => {
  const env = { POSTGRES_PASSWORD: nastyPassword, POSTGRES_INITDB_ARGS: '--auth-local=scram-sha-256' };
  await using server = await startContainer('postgres:17', { env, args: ['-p', '5433'] });
  await eventually(() => docker('exec', server.name, 'pg_isready', '-q', '-h', '127.0.0.1', '-p', '5433'));
  const { container } = await shellOf(server.id);
  const artifact = { name: 'globals', kind: 'globals', extension: 'sql', facts: {} };
  const line = postgres.byHand(container, artifact, postgres.options.parse({ port: '5433' }));
  const typed = promisify(execFile)('sh', ['-c', `echo 'CREATE ROLE typed;' | ${line}`]);
  assert.equal((await typed).stdout, 'CREATE ROLE\n');
});
