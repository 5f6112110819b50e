import { postgres } from '../../src/engines/postgres/index.ts';
import { testEngine } from '../contracts/engine.ts';
import { postgresReady } from '../support/postgres.ts';
import { everyVersion, nastyPassword } from '../support/testbed.ts';
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
