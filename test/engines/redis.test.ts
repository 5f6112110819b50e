import assert from 'node:assert/strict';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { after, describe, it } from 'node:test';
import { type ErrorCode, isLifeboatError } from '../../src/domain/errors.ts';
import { Manifest, manifestFormat } from '../../src/domain/manifest.ts';
import { newId } from '../../src/domain/naming.ts';
import type { Command } from '../../src/domain/shell.ts';
import type { Dump, RestoreSteps } from '../../src/engines/engine.ts';
import { redis } from '../../src/engines/redis/index.ts';
import { RedisOptions } from '../../src/engines/redis/options.ts';
import { testEngine } from '../contracts/engine.ts';
import {
  type ContainerOptions,
  docker,
  dockerWithInput,
  eventually,
  nastyPassword,
  runId,
  shellOf,
  startContainer,
  testLabel,
} from '../support/testbed.ts';

/** Every type and encoding, binary names and values, TTLs, consumer groups, functions, several databases. */
const seed = String.raw`
SET "bin\x00\xff\r\n key" "value \x00\x01\xfe\xff \"quoted\" \\ back"
SET number 12345
SET small -7
SET huge 9007199254740993
SET text "gr\xc3\xbc\xc3\x9fe"
SET compressible "${'a'.repeat(300)}"
SETRANGE big 1500000 "the end"
SET expiring soon PXAT 4102444800123
HSET hash a 1 b "two \x00" c 3.5
PEXPIREAT hash 4102444801000
RPUSH list one two "\x00three" 4
SADD set m1 m2 m3
SADD numbers 1 2 3 500000
ZADD zset 1 a 2.5 b -inf c +inf d
PFADD hll a b c d e f
GEOADD geo 13.361389 38.115556 Palermo
SETBIT bits 100000 1
XADD stream 1-1 f v g w
XADD stream 2-1 f v2
XADD stream 3-1 x y
XDEL stream 2-1
XGROUP CREATE stream g1 0
XGROUP CREATE stream g2 $
XREADGROUP GROUP g1 alice COUNT 1 STREAMS stream >
XGROUP CREATECONSUMER stream g1 idle
XADD emptied 1-0 a b
XDEL emptied 1-0
EVAL "for i=1,3000 do redis.call('hset','bighash','f'..i,'v'..i) redis.call('rpush','biglist',string.rep('x',i)) redis.call('sadd','bigset','m'..i) redis.call('zadd','bigzset',i/7,'m'..i) redis.call('xadd','bigstream',i..'-1','f',i) end" 0
SELECT 3
SET other "in db 3"
SELECT 15
SET last "in db 15"
SELECT 0
FUNCTION LOAD "#!lua name=lib1\nredis.register_function('twice', function(keys, args) return args[1] * 2 end)"
FUNCTION LOAD "#!lua name=lib2\nredis.register_function('one', function() return 1 end)"
`;

/** Fields that expire, Redis 7.4 and later. */
const fieldExpiry = String.raw`
HSET fields a 1 b 2 c 3
HPEXPIREAT fields 4102444802000 FIELDS 1 b
HSET onlyfields a 1
HPEXPIREAT onlyfields 4102444802000 FIELDS 1 a
EVAL "for i=1,600 do redis.call('hset','bigfields','f'..i,i) redis.call('hpexpireat','bigfields',4102444802000+i,'fields',1,'f'..i) end" 0
`;

/** One line per key: database, name, type, expiry and content, in an order that does not depend on the server. */
const everything = String.raw`
local out = {}
local function sorted(list) table.sort(list) return list end
local function pairs_of(flat) local t = {} for i = 1, #flat, 2 do t[#t+1] = flat[i] .. '=' .. tostring(flat[i+1]) end return sorted(t) end
for db = 0, 15 do
  redis.call('SELECT', db)
  for _, key in ipairs(sorted(redis.call('KEYS', '*'))) do
    local kind = redis.call('TYPE', key).ok
    local v = {}
    if kind == 'string' then v = { redis.call('GET', key) }
    elseif kind == 'list' then v = redis.call('LRANGE', key, 0, -1)
    elseif kind == 'set' then v = sorted(redis.call('SMEMBERS', key))
    elseif kind == 'zset' then v = pairs_of(redis.call('ZRANGE', key, 0, -1, 'WITHSCORES'))
    elseif kind == 'hash' then
      v = pairs_of(redis.call('HGETALL', key))
      for _, f in ipairs(sorted(redis.call('HKEYS', key))) do
        local r = redis.pcall('HPEXPIRETIME', key, 'FIELDS', 1, f)
        if not r.err then v[#v+1] = f .. '@' .. tostring(r[1]) end
      end
    elseif kind == 'stream' then
      for _, e in ipairs(redis.call('XRANGE', key, '-', '+')) do v[#v+1] = e[1] .. ':' .. table.concat(e[2], ',') end
      local told = redis.call('XINFO', 'STREAM', key)
      for i = 1, #told, 2 do
        local name = told[i]
        if name == 'last-generated-id' or name == 'max-deleted-entry-id' or name == 'entries-added' then v[#v+1] = name .. '=' .. tostring(told[i+1]) end
      end
      for _, g in ipairs(redis.call('XINFO', 'GROUPS', key)) do
        for i = 1, #g do v[#v+1] = 'g ' .. tostring(g[i]) end
        for _, p in ipairs(redis.call('XPENDING', key, g[2], '-', '+', 100)) do v[#v+1] = 'p ' .. p[1] .. ' ' .. p[2] .. ' ' .. tostring(p[4]) end
        for _, c in ipairs(redis.call('XINFO', 'CONSUMERS', key, g[2])) do v[#v+1] = 'c ' .. c[2] .. ' ' .. tostring(c[4]) end
      end
    end
    out[#out+1] = db .. ' ' .. redis.sha1hex(key) .. ' ' .. kind .. ' ' .. redis.call('PEXPIRETIME', key) .. ' ' .. redis.sha1hex(table.concat(v, '\0'))
  end
end
return out
`;

/** A client in the container, logged in as the test knows. */
interface Cli {
  readonly tool: 'redis-cli' | 'valkey-cli';
  readonly password?: string;
}

function cli(name: string, { tool, password }: Cli, args: readonly string[], input = ''): Promise<string> {
  const login = password === undefined ? [] : ['-e', `REDISCLI_AUTH=${password}`];
  return dockerWithInput(input, 'exec', '-i', ...login, name, tool, ...args);
}

const ready = (name: string, as: Cli) =>
  eventually(async () => assert.match(await cli(name, as, ['INFO', 'persistence']), /loading:0/));

/** Runs lines of commands; none may be refused. */
async function commands(name: string, as: Cli, lines: string): Promise<void> {
  assert.doesNotMatch(await cli(name, as, [], lines.trimStart()), /^(ERR|WRONGTYPE|NOAUTH|NOPERM|LOADING)/m);
}

async function fingerprint(name: string, as: Cli): Promise<string> {
  await ready(name, as);
  const functions = await cli(name, as, ['FUNCTION', 'LIST', 'WITHCODE']);
  return `${await cli(name, as, ['EVAL', everything, '0'])}\n${functions.split('\n').sort().join('\n')}`;
}

async function damage(name: string, as: Cli): Promise<void> {
  await commands(name, as, 'DEL hash big\nSET number 1\nSET later new\nSELECT 7\nSET more new\nFUNCTION DELETE lib1\n');
}

/** A case of the contract for a server with plain types. */
function testServer(title: string, image: string, as: Cli, args: readonly string[], extra = ''): void {
  testEngine(title, {
    engine: redis,
    image,
    container: () => ({ args }),
    ready: (name) => ready(name, as),
    seed: (name) => commands(name, as, seed + extra),
    fingerprint: (name) => fingerprint(name, as),
    damage: (name) => damage(name, as),
    strictKinds: ['rdb'],
    byHandFingerprint: (name) => fingerprint(name, as),
  });
}

const redisCli: Cli = { tool: 'redis-cli' };
testServer(
  'redis:8, password, no AOF',
  'redis:8',
  { ...redisCli, password: nastyPassword },
  ['redis-server', '--requirepass', nastyPassword],
  fieldExpiry,
);
testServer('redis:8 with AOF', 'redis:8', redisCli, ['--appendonly', 'yes'], fieldExpiry);
testServer('valkey:8', 'valkey:8', { tool: 'valkey-cli' }, []);

// --- graphs ---

const graphPassword = `g"r'a$ph%s\\;--`; // The image cuts its arguments at spaces.
const graphCli: Cli = { tool: 'redis-cli', password: graphPassword };
const graphs = ['social', 'odd name; "x"'];

async function seedGraphs(name: string): Promise<void> {
  for (const graph of graphs) {
    for (const query of [
      'UNWIND range(1, 85) AS i CREATE (:Person {name: "n" + i, age: i, tags: [1, "a", true]})-[:KNOWS {since: i * 1.5}]->(:City {at: point({latitude: i, longitude: 1})})',
      'CREATE INDEX FOR (p:Person) ON (p.name)',
      'CREATE FULLTEXT INDEX FOR (p:City) ON (p.label)',
      'MATCH (p:Person {age: 3}) SET p:Special, p.extra = null, p.text = "gr\u00fc\u00dfe"',
      'MATCH (p:Person {age: 4}) DETACH DELETE p',
    ]) {
      assert.match(await cli(name, graphCli, ['GRAPH.QUERY', graph, query]), /internal execution time/, query);
    }
  }
  await commands(name, graphCli, 'SET plain value\nSELECT 2\nHSET h a 1\n');
}

async function graphFingerprint(name: string): Promise<string> {
  await ready(name, graphCli);
  const rows: string[] = [await cli(name, graphCli, ['GRAPH.LIST']).then((list) => list.split('\n').sort().join('\n'))];
  for (const graph of graphs) {
    for (const query of [
      'MATCH (n) RETURN labels(n), properties(n) ORDER BY n.age, n.at.latitude',
      'MATCH (a)-[e]->(b) RETURN a.name, type(e), properties(e), b.at ORDER BY e.since',
      'MATCH (p:Person {name: "n7"}) RETURN p.age',
      'CALL db.indexes() YIELD label, properties, types, status RETURN label, properties, types, status ORDER BY label',
    ]) {
      const answer = await cli(name, graphCli, ['GRAPH.RO_QUERY', graph, query]);
      rows.push(answer.replace(/^(Cached execution|Query internal execution time).*$/gm, ''));
    }
  }
  return `${rows.join('\n')}\n${await cli(name, graphCli, [], 'GET plain\nSELECT 2\nHGETALL h\n')}`;
}

testEngine('falkordb:4, password, graphs of many parts', {
  engine: redis,
  image: 'falkordb:4',
  container: () => ({
    env: { REDIS_ARGS: `--requirepass ${graphPassword}`, FALKORDB_ARGS: 'VKEY_MAX_ENTITY_COUNT 10' },
  }),
  ready: (name) => ready(name, graphCli),
  seed: seedGraphs,
  fingerprint: graphFingerprint,
  damage: async (name) => {
    await cli(name, graphCli, ['GRAPH.QUERY', 'social', 'MATCH (n:City) DETACH DELETE n']);
    await cli(name, graphCli, ['GRAPH.DELETE', 'odd name; "x"']);
    await cli(name, graphCli, ['GRAPH.QUERY', 'later', 'CREATE (:New)']);
  },
  strictKinds: ['rdb'],
  byHandFingerprint: graphFingerprint,
});

// --- faults ---

const signal = () => AbortSignal.timeout(120_000);
const plainOptions = RedisOptions.parse({});
const quiet: RestoreSteps = { staging: () => {}, checking: () => {}, switching: async () => {} };
const isError =
  (code: ErrorCode, message = /./) =>
  (error: unknown) =>
    isLifeboatError(error, code) && message.test(error.message);

/** A container with a server that takes commands. */
async function serverOf(image: string, options: ContainerOptions = {}, as: Cli = redisCli) {
  const container = await startContainer(image, options);
  await ready(container.name, as);
  return container;
}

interface BackUp {
  readonly dump: Dump;
  readonly plain: Buffer;
  readonly manifest: Manifest;
}

/** The way of a backup without codecs and stores. */
async function backUp(id: string, options: RedisOptions = plainOptions): Promise<BackUp> {
  const shell = await shellOf(id);
  const survey = await redis.survey(shell, options, signal());
  let found: { dump: Dump; plain: Buffer } | undefined;
  for await (const dump of redis.dump(shell, survey, options, { counts: 'auto' }, signal())) {
    assert.equal(dump.produce.from, 'command');
    const plain = await buffer((await shell.output((dump.produce as { exec: Command }).exec, signal())).stdout);
    found = { dump, plain };
  }
  assert.ok(found);
  const { dump, plain } = found;
  const proof = await redis.prove(shell, dump, Readable.from([plain]), options, signal());
  const { name, kind, extension, facts } = dump;
  const artifact = {
    ...{ name, kind, file: 'dump.rdb', plainBytes: plain.length, storedBytes: plain.length, storedSha256: '' },
    ...{ codecs: [], facts: { ...facts }, counts: [...((await dump.counts) ?? []), ...proof.counts] },
    byHand: redis.byHand(shell.container, dump, options),
  };
  const review = await redis.review(shell, survey, [{ ...artifact, extension }], options, signal());
  const now = new Date();
  const { container } = shell;
  const manifest = Manifest.parse({
    ...{ format: manifestFormat, id: newId(now), set: newId(now), stack: 's', service: 'x', source: 'redis' },
    ...{
      engine: 'redis',
      lifeboat: '0',
      trigger: 'manual',
      startedAt: now.toISOString(),
      finishedAt: now.toISOString(),
    },
    server: { product: survey.product, version: survey.version, identity: survey.identity },
    container: { ...container },
    ...{ tool: survey.tool, path: { taken: 'exec', why: 'test' }, consistency: survey.consistency, options: {} },
    artifacts: [artifact],
    seals: [{ seal: 'structure', proof: proof.method }],
    warnings: [...survey.warnings, ...review.warnings],
  });
  return { dump, plain, manifest };
}

async function restoreFrom(id: string, { manifest, plain }: BackUp, steps = quiet, suffix = 'test02') {
  const source = { manifest, open: async () => Readable.from([plain]) };
  return redis.restore(await shellOf(id), source, { suffix }, plainOptions, steps, signal());
}

async function previewOf(id: string, { manifest }: BackUp) {
  return redis.preview(await shellOf(id), manifest, { suffix: 'x' }, plainOptions, signal());
}

const shown = (name: string, ...argv: string[]) => docker('exec', name, ...argv);

describe('dumping a server', { concurrency: false }, () => {
  it('fails when the save fails, whatever file is there from before', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'SET a 1\nSAVE\nSET b 2\n');
    await shown(server.name, 'chmod', '0555', '/data');
    await shown(server.name, 'chown', 'root', '/data');
    await assert.rejects(backUp(server.id), isError('COMMAND_FAILED', /could not save/));
    assert.match(await shown(server.name, 'ls', '/data'), /dump\.rdb/);
    await shown(server.name, 'chown', 'redis', '/data');
    await shown(server.name, 'chmod', '0755', '/data');
    assert.equal((await backUp(server.id)).manifest.artifacts[0]?.counts[1]?.objects['keys of db0'], 2);
  });

  it('refuses a file from before the backup, cut ends, flipped bits and what follows the end', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, seed);
    const { dump, plain } = await backUp(server.id);
    const shell = await shellOf(server.id);
    const prove = (bytes: Buffer, facts = dump.facts) =>
      redis.prove(shell, { ...dump, facts }, Readable.from([bytes]), plainOptions, signal());
    await assert.rejects(
      prove(plain, { ...dump.facts, savedAfter: (dump.facts.savedAfter as number) + 3600 }),
      isError('PROOF_FAILED', /stale/),
    );
    for (const missing of [1, 8, 9, 100]) {
      await assert.rejects(prove(plain.subarray(0, -missing)), isError('PROOF_FAILED'), `minus ${missing}`);
    }
    await assert.rejects(
      prove(Buffer.concat([plain, Buffer.alloc(40, 'm')])),
      isError('PROOF_FAILED', /40 bytes follow/),
    );
  });

  it('lets the tool of the image refuse what adds up but cannot be read', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'HSET h field value\n');
    const { dump, plain } = await backUp(server.id);
    const at = plain.indexOf('field');
    const broken = Buffer.concat([plain.subarray(0, -8), Buffer.alloc(8)]); // No checksum, so ours cannot tell.
    broken[at - 1] = 0xf7; // The listpack's own encoding of the length before it.
    const proof = redis.prove(await shellOf(server.id), dump, Readable.from([broken]), plainOptions, signal());
    await assert.rejects(proof, isError('PROOF_FAILED', /redis-check-rdb/));
  });

  it('takes a dump without checksum, and says that it is weak', async () => {
    await using server = await serverOf('redis:8', { args: ['--rdbchecksum', 'no'] });
    await commands(server.name, redisCli, 'SET a 1\n');
    assert.match((await backUp(server.id)).manifest.seals[0]?.proof ?? '', /weak/);
  });

  it('leaves nothing behind in a server that keeps nothing, and no mark behind the dump', async () => {
    await using server = await serverOf('redis:8', { args: ['--save', ''] });
    await commands(server.name, redisCli, seed);
    const { dump, manifest } = await backUp(server.id);
    assert.equal(dump.facts.method, 'transfer');
    assert.equal(manifest.artifacts[0]?.counts[1]?.objects['keys of db15'], 1);
    assert.equal(await shown(server.name, 'sh', '-c', 'ls -A /data; ls -A /tmp; ls -A /dev/shm'), '');
  });

  it('fetches the dump from a login that may not save', async () => {
    await using server = await serverOf('redis:8', {
      env: { BACKUP_PASSWORD: 'secret' },
    });
    await commands(server.name, redisCli, 'SET a 1\nACL SETUSER backup on >secret ~* &* +@all -bgsave -save\n');
    const options = RedisOptions.parse({ user: 'backup', 'password-env': 'BACKUP_PASSWORD' });
    const { dump, manifest } = await backUp(server.id, options);
    assert.equal(dump.facts.method, 'transfer');
    assert.match(manifest.warnings.join(), /1 ACL user beside the default \(backup\)/);
  });

  it('offers a helper for big data, which must see the same file first', async () => {
    await using server = await serverOf('redis:8', { args: ['--rdbcompression', 'no'] });
    await commands(server.name, redisCli, 'SETRANGE big 70000000 x\n');
    const shell = await shellOf(server.id);
    const survey = await redis.survey(shell, plainOptions, signal());
    for await (const { produce } of redis.dump(shell, survey, plainOptions, { counts: 'auto' }, signal())) {
      assert.ok(produce.from === 'command' && produce.helper?.path === 'file' && produce.helper.identity);
      // The image of Lifeboat is not there in this test: the server's own has the same tools.
      const here = (command: Command): Command => ({
        ...command,
        place: { ...command.place, image: 'redis:8' } as never,
      });
      assert.equal(await shell.text(here(produce.helper.identity), signal()), survey.identity);
      const { stdout } = await shell.output(here(produce.helper.command), signal());
      const proof = await redis.prove(
        shell,
        { name: 'dump', kind: 'rdb', extension: 'rdb', facts: {} },
        stdout,
        plainOptions,
        signal(),
      );
      assert.equal(proof.counts[0]?.objects['keys of db0'], 1);
    }
  });

  it('refuses an empty dump of a server that has keys', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'SET a 1\n');
    const shell = await shellOf(server.id);
    const survey = await redis.survey(shell, plainOptions, signal());
    const empty = { name: 'dump', kind: 'rdb', extension: 'rdb', facts: {}, plainBytes: 100 };
    const counts = [{ how: 'dump' as const, objects: { 'function libraries': 0 } }];
    const review = redis.review(shell, survey, [{ ...empty, counts }], plainOptions, signal());
    await assert.rejects(review, isError('PROOF_FAILED', /keys of db0/));
  });
});

describe('logging in', { concurrency: false }, () => {
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

describe('restoring a server', { concurrency: false }, () => {
  after(async () => {
    const volumes = await docker('volume', 'ls', '-q', '--filter', `label=${testLabel}=${runId}`);
    for (const volume of volumes.split('\n').filter((name) => name !== '')) await docker('volume', 'rm', '-f', volume);
  });

  let volumes = 0;
  const named = () => {
    volumes += 1;
    const source = `lifeboat-${runId}-redis-${volumes}`;
    return ['--mount', `type=volume,source=${source},target=/data,volume-label=${testLabel}=${runId}`];
  };
  const seeded = async (options: ContainerOptions = {}) => {
    const server = await serverOf('redis:8', options);
    await commands(server.name, redisCli, seed + fieldExpiry);
    return { server, kept: await backUp(server.id), before: await fingerprint(server.name, redisCli) };
  };
  const own = async (name: string) => fingerprint(name, redisCli);

  it('keeps what was there, and leaves nothing else behind', async () => {
    const { server, kept, before } = await seeded({ args: ['--appendonly', 'yes'], run: named() });
    await using _ = server;
    const count = async () => (await docker('volume', 'ls', '-q')).split('\n').length;
    const present = await count();
    await damage(server.name, redisCli);
    const restored = await restoreFrom(server.id, kept);
    assert.equal(await own(server.name), before);
    assert.match(restored.kept.join(), /\/data\/\.lifeboat-prev-test02/);
    assert.match(
      restored.checks.join('\n'),
      /db0: \d+ keys as in the backup[\s\S]*2 function libraries[\s\S]*started server loaded/,
    );
    assert.match(await shown(server.name, 'ls', '-A', '/data/.lifeboat-prev-test02'), /appendonlydir/);
    assert.doesNotMatch(await shown(server.name, 'ls', '-A', '/data'), /lifeboat-new/);
    assert.equal(await shown(server.name, 'sh', '-c', 'stat -c "%U %a" /data/dump.rdb'), 'redis 600');
    assert.equal(await count(), present, 'no volume was left');
    // What is written now is still there after the next start: the AOF goes on.
    await commands(server.name, redisCli, 'SET afterwards 1\n');
    await docker('restart', server.name);
    await ready(server.name, redisCli);
    assert.equal(await cli(server.name, redisCli, ['GET', 'afterwards']), '1');
  });

  for (const policy of ['no', 'always']) {
    it(`goes back when the server does not take the data (restart policy ${policy})`, async () => {
      const { server, kept } = await seeded({ args: ['--appendonly', 'yes'], run: [...named(), '--restart', policy] });
      await using _ = server;
      await damage(server.name, redisCli);
      const changed = await own(server.name);
      const staged = '/data/.lifeboat-new-test03/appendonlydir/appendonly.aof.manifest';
      const spoil: RestoreSteps = {
        ...quiet,
        switching: async () => void (await shown(server.name, 'sh', '-c', `echo nonsense >${staged}`)),
      };
      await assert.rejects(restoreFrom(server.id, kept, spoil, 'test03'), isError('RESTORE_FAILED', /did not take/));
      assert.equal(await own(server.name), changed);
      assert.doesNotMatch(await shown(server.name, 'ls', '-A', '/data'), /lifeboat/);
    });
  }

  it('goes back when the staged data is gone before the switch', async () => {
    const { server, kept } = await seeded({ run: named() });
    await using _ = server;
    await damage(server.name, redisCli);
    const changed = await own(server.name);
    const spoil: RestoreSteps = {
      ...quiet,
      switching: async () => void (await shown(server.name, 'rm', '-r', '/data/.lifeboat-new-test04')),
    };
    await assert.rejects(restoreFrom(server.id, kept, spoil, 'test04'), isError('RESTORE_FAILED'));
    assert.equal(await own(server.name), changed);
  });

  it('puts data into a container that does not run, because its data is broken', async () => {
    const { server, kept, before } = await seeded({ args: ['--appendonly', 'yes'], run: named() });
    await using _ = server;
    await shown(server.name, 'sh', '-c', 'echo nonsense >/data/appendonlydir/appendonly.aof.manifest');
    await docker('kill', server.name);
    const restored = await restoreFrom(server.id, kept);
    assert.match(restored.warnings.join(), /was not started/);
    assert.equal(await docker('inspect', '-f', '{{.State.Running}}', server.name), 'false');
    await docker('start', server.name);
    assert.equal(await own(server.name), before);
  });

  it('is not surprised by keys that expire before it is done', async () => {
    await using server = await serverOf('redis:8');
    await commands(server.name, redisCli, 'SET stays 1\nSET goes 1 PX 1500\nSET later 1 EX 100\n');
    const kept = await backUp(server.id);
    await new Promise((resolve) => setTimeout(resolve, 1_600));
    const { checks } = await restoreFrom(server.id, kept);
    assert.match(checks.join(), /2 keys as in the backup, 1 expired meanwhile/);
  });

  for (const appendonly of ['no', 'yes']) {
    const inLayer = {
      args: [
        'sh',
        '-c',
        `mkdir -p /srv/r && chown redis /srv/r && exec docker-entrypoint.sh redis-server --dir /srv/r --appendonly ${appendonly}`,
      ],
    };
    it(`goes through the Engine for data in the container's own layer (AOF ${appendonly})`, async () => {
      const { server, kept, before } = await seeded(inLayer);
      await using _ = server;
      assert.match(kept.manifest.warnings.join(), /on no volume/);
      await damage(server.name, redisCli);
      await restoreFrom(server.id, kept);
      assert.equal(await own(server.name), before);
      await commands(server.name, redisCli, 'SET afterwards 1\n');
      await docker('restart', server.name);
      await ready(server.name, redisCli);
      assert.equal(await cli(server.name, redisCli, ['GET', 'afterwards']), '1');

      const changed = await own(server.name);
      let opened = 0;
      const open = async () => {
        opened += 1;
        if (opened > 1) throw new Error('the store is gone');
        return Readable.from([kept.plain]);
      };
      const attempt = redis.restore(
        await shellOf(server.id),
        { manifest: kept.manifest, open },
        { suffix: 'test05' },
        plainOptions,
        quiet,
        signal(),
      );
      await assert.rejects(attempt, isError('RESTORE_FAILED', /did not take/));
      assert.equal(await own(server.name), changed, 'back as before');

      await damage(server.name, redisCli);
      await byLine(kept);
      assert.equal(await own(server.name), before, 'restored by hand');
    });
  }

  it('is done by hand over data that has changed', async () => {
    for (const args of [[], ['--appendonly', 'yes']]) {
      const { server, kept, before } = await seeded({ args });
      await using _ = server;
      await damage(server.name, redisCli);
      await byLine(kept);
      assert.equal(await own(server.name), before);
    }
  });

  it('is refused where it cannot work, with the reason', async () => {
    const { server, kept } = await seeded();
    await using _ = server;
    const refused = async (container: { id: string }, reason: RegExp) => {
      assert.match((await previewOf(container.id, kept)).refusals.join(), reason);
      await assert.rejects(restoreFrom(container.id, kept), isError('RESTORE_REFUSED', reason));
    };
    {
      await using older = await serverOf('valkey:8', {}, { tool: 'valkey-cli' });
      await refused(older, /RDB version 12; Valkey 8\.\S+ reads only up to version 11/);
    }
    {
      await using small = await serverOf('redis:8', { args: ['--databases', '4'] });
      await refused(small, /database 15.*4 databases/);
    }
    {
      await using replica = await serverOf('redis:8', { args: ['--replicaof', '127.0.0.1', '1'] });
      await refused(replica, /is a replica/);
    }
    {
      await using fleeting = await serverOf('redis:8', { run: ['--tmpfs', '/data'] });
      await refused(fleeting, /in memory/);
    }
    const beside = { manifest: kept.manifest, open: async () => Readable.from([kept.plain]) };
    const as = redis.restore(await shellOf(server.id), beside, { as: 'x', suffix: 'y' }, plainOptions, quiet, signal());
    await assert.rejects(as, isError('USAGE', /another name/));
    assert.equal((await previewOf(server.id, kept)).refusals.length, 0);
  });

  it('is refused where a module is missing', async () => {
    await using graph = await serverOf(
      'falkordb:4',
      { env: { REDIS_ARGS: `--requirepass ${graphPassword}` } },
      graphCli,
    );
    await seedGraphs(graph.name);
    const kept = await backUp(graph.id);
    await using plain = await serverOf('redis:8');
    assert.match((await previewOf(plain.id, kept)).refusals.join(), /data of the module graph/);
  });
});

/** Types the line of the manifest. */
async function byLine({ manifest, plain }: BackUp): Promise<void> {
  const { spawn } = await import('node:child_process');
  const child = spawn('sh', ['-c', manifest.artifacts[0]?.byHand ?? ''], { stdio: ['pipe', 'ignore', 'inherit'] });
  child.stdin.end(plain);
  const code = await new Promise((resolve) => child.on('close', resolve));
  assert.equal(code, 0);
}
