import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { it } from 'node:test';
import { postgres } from '../../src/engines/postgres/index.ts';
import { testEngine } from '../contracts/engine.ts';
import { postgresReady, psql } from '../support/postgres.ts';
import { everyVersion, nastyPassword, shellOf, startContainer } from '../support/testbed.ts';
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
