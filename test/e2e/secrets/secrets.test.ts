import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { leftovers, watchEvents, watchLeaks } from '../../support/events.ts';
import { composeText, type Stack, startStack } from '../../support/stack.ts';
import {
  docker,
  dockerWithInput,
  eventually,
  everyVersion,
  nastyPassword,
  runId,
  startContainer,
} from '../../support/testbed.ts';

/** A word that stands nowhere else, and that no escaping changes, inside everything that escaping trips over. */
const canary = `canary${runId}`;
const password = `${canary} ${nastyPassword}`;
/** The image of FalkorDB cuts its arguments at spaces. */
const graphPassword = `${canary}"r'a$ph%s\\;--`;
const conf = `requirepass "${password.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;

/** Remembers what it is told. */
const receiver = `
const seen = [];
require('node:http').createServer((q, r) => {
  if (q.method === 'GET') return r.end(JSON.stringify(seen));
  let body = ''; q.on('data', (c) => { body += c; }); q.on('end', () => { seen.push(body); r.end('ok'); });
}).listen(8080);`;

const store = (image: string, tool: string, service: string) => `
  ${service}:
    image: ${image}
    environment: { CONF: ${composeText(conf)}, LOGIN: ${composeText(password)} }
    command: ["sh", "-c", "printf '%s\\\\n' \\"$$CONF\\" >/tmp/r.conf; exec ${tool}-server /tmp/r.conf"]
    volumes: ["${service}-data:/data"]
    healthcheck: { test: ["CMD-SHELL", "REDISCLI_AUTH=\\"$$LOGIN\\" ${tool}-cli ping | grep -q PONG"], interval: 1s, retries: 60 }`;

const services = `
  postgres:
    image: postgres:17
    environment: { POSTGRES_PASSWORD: ${composeText(password)}, POSTGRES_DB: shop }
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres"], interval: 1s, retries: 60 }
  mysql:
    image: mysql:9
    environment: { MYSQL_ROOT_PASSWORD: ${composeText(password)}, MYSQL_DATABASE: shop }
    healthcheck: { test: ["CMD-SHELL", "mysqladmin -h127.0.0.1 --silent ping"], interval: 1s, retries: 60 }
  mariadb:
    image: mariadb:11.8
    environment: { MARIADB_ROOT_PASSWORD: ${composeText(password)}, MARIADB_DATABASE: shop }
    healthcheck: { test: ["CMD-SHELL", "mariadb-admin -h127.0.0.1 --silent ping"], interval: 1s, retries: 60 }
${store('redis:8', 'redis', 'redis')}
${store('valkey:8', 'valkey', 'valkey')}
  graph:
    image: falkordb:4
    environment: { REDIS_ARGS: ${composeText(`--requirepass ${graphPassword}`)}, LOGIN: ${composeText(graphPassword)} }
    volumes: ["graph-data:/data"]
    healthcheck: { test: ["CMD-SHELL", "REDISCLI_AUTH=\\"$$LOGIN\\" redis-cli ping | grep -q PONG"], interval: 1s, retries: 60 }
  loud:
    image: debian:trixie-slim
    command: sleep infinity
    init: true
    environment: { PASSWORD: ${composeText(password)} }
    labels: { lifeboat.command.run: ${JSON.stringify('printf "cannot log in: postgres://app:%s@db/x, password %s" "$$PASSWORD" "$$PASSWORD" >&2; exit 1')} }
  hook:
    image: node:26-trixie-slim
    init: true
    command: ["node", "-e", ${JSON.stringify(receiver)}]
    labels: { lifeboat.enable: "false" }
volumes:
  redis-data:
  valkey-data:
  graph-data:
`;

/** Prints every command line that holds the word, with the container that it runs in, and at the end all programs it saw. */
const watchman = `
const { readdirSync, readFileSync } = require('node:fs');
const programs = new Set(), found = new Set();
const look = () => {
  for (const pid of readdirSync('/proc')) {
    if (!/^\\d+$/.test(pid)) continue;
    try {
      const line = readFileSync('/proc/' + pid + '/cmdline', 'utf8');
      programs.add(line.split('\\0')[0].split('/').pop());
      if (line.includes(process.env.WORD)) found.add(readFileSync('/proc/' + pid + '/cgroup', 'utf8').trim() + ' ' + JSON.stringify(line));
    } catch (error) {
      // A process that has ended meanwhile has no command line any more.
      if (!['ENOENT', 'ESRCH'].includes(error.code)) throw error;
    }
  }
  setTimeout(look, 3);
};
process.on('SIGTERM', () => { console.log(JSON.stringify({ programs: [...programs], found: [...found] })); process.exit(); });
console.log('looking');
look();`;

// The events and helpers of each engine are watched in its contract, always.
const skip = !everyVersion && 'npm run test:all';

describe('passwords that are hard to write, in every engine that has them', { concurrency: false, skip }, () => {
  const engines = ['postgres', 'mysql', 'mariadb', 'redis', 'valkey', 'graph'] as const;
  let stack: Stack;
  before(async () => {
    stack = await startStack(
      services,
      {
        LIFEBOAT_SCHEDULE: 'manual',
        LIFEBOAT_PATH: 'pipe',
        LIFEBOAT_CODEC: 'none', // So that a search finds what is inside.
        LIFEBOAT_NOTIFY_ON: 'failure, success',
        LIFEBOAT_NOTIFY_WEBHOOK_URL: 'http://hook:8080/hook',
        LIFEBOAT_LOG_LEVEL: 'debug',
      },
      'daemon',
    );
  });
  after(() => stack[Symbol.asyncDispose]());

  const name = (service: string) => `${stack.project}-${service}-1`;
  const shell = (service: string, script: string) => dockerWithInput(script, 'exec', '-i', name(service), 'sh', '-s');
  const sql = (service: string, client: string, text: string) =>
    shell(service, `MYSQL_PWD="$${client.toUpperCase()}_ROOT_PASSWORD" ${client} -uroot -N shop <<'END'\n${text}\nEND`);
  const redis = (service: string, tool: string, words: string) =>
    shell(service, `REDISCLI_AUTH="$LOGIN" ${tool}-cli ${words}`);
  const write: Readonly<Record<(typeof engines)[number], (value: string) => Promise<string>>> = {
    postgres: (value) =>
      shell(
        'postgres',
        `psql -qU postgres shop -c "CREATE TABLE IF NOT EXISTS t (x text); TRUNCATE t; INSERT INTO t VALUES ('${value}')"`,
      ),
    mysql: (value) =>
      sql('mysql', 'mysql', `CREATE TABLE IF NOT EXISTS t (x text); DELETE FROM t; INSERT INTO t VALUES ('${value}');`),
    mariadb: (value) =>
      sql(
        'mariadb',
        'mariadb',
        `CREATE TABLE IF NOT EXISTS t (x text); DELETE FROM t; INSERT INTO t VALUES ('${value}');`,
      ),
    redis: (value) => redis('redis', 'redis', `SET x ${value}`),
    valkey: (value) => redis('valkey', 'valkey', `SET x ${value}`),
    graph: (value) => redis('graph', 'redis', `GRAPH.QUERY g "MERGE (n:N) SET n.x = '${value}'"`),
  };
  const read: Readonly<Record<(typeof engines)[number], () => Promise<string>>> = {
    postgres: () => shell('postgres', "psql -qAtU postgres shop -c 'SELECT x FROM t'"),
    mysql: () => sql('mysql', 'mysql', 'SELECT x FROM t;'),
    mariadb: () => sql('mariadb', 'mariadb', 'SELECT x FROM t;'),
    redis: () => redis('redis', 'redis', 'GET x'),
    valkey: () => redis('valkey', 'valkey', 'GET x'),
    graph: async () =>
      /kept|lost/.exec(await redis('graph', 'redis', '--raw GRAPH.RO_QUERY g "MATCH (n:N) RETURN n.x"'))?.[0] ?? '',
  };

  it('fault 94: work, and appear in no argv, event, inspect, log, manifest, message, file or answer', async () => {
    await using watch = await startContainer('node:26-trixie-slim', {
      env: { WORD: canary },
      args: ['node', '-e', watchman],
      run: ['--pid', 'host', '--init'],
    });
    await eventually(async () => assert.match(await docker('logs', watch.name), /looking/));
    await using leaks = watchLeaks();
    await using events = watchEvents();
    for (const engine of engines) await write[engine]('kept');

    const said: string[] = [];
    const run = async (...args: string[]) => {
      const ended = await stack.lifeboat(...args);
      said.push(ended.stdout, ended.stderr);
      return ended;
    };
    const backup = await run('backup');
    assert.match(backup.stdout, /6 of 7 sources/, backup.stderr);
    assert.match(backup.stderr, /cannot log in: postgres:\/\/[^ ]*\[redacted\].*@db\/x, password \[redacted\]/);
    const { backups } = JSON.parse((await run('list', '--json')).stdout) as { backups: { id: string }[] };
    assert.equal(backups.length, engines.length);
    for (const { id } of backups) await run('show', id, '--json');
    for (const engine of engines) await write[engine]('lost');
    for (const engine of engines) {
      const restored = await run('restore', engine, '--yes', '--no-safety-backup');
      assert.equal(restored.code, 0, restored.stderr);
      assert.equal(await eventually(read[engine]), 'kept', engine);
    }
    // A login that is refused says much.
    await sql('mysql', 'mysql', "ALTER USER root@'%' IDENTIFIED BY 'other', root@localhost IDENTIFIED BY 'other';");
    const refused = await run('backup', 'mysql');
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /cannot connect .* as root/);
    for (const args of [
      ['plan'],
      ['status', '--json'],
      ['logs', '--json'],
      ['doctor'],
      ['verify'],
      ['config', 'show'],
    ]) {
      await run(...args);
    }

    const script = "fetch('http://127.0.0.1:8080').then((r) => r.text()).then(console.log)";
    const messages = await eventually(async () => {
      const told = await docker('exec', name('hook'), 'node', '-e', script);
      assert.match(told, /cannot log in.*cannot connect/s);
      return told;
    });
    const logs = await stack.compose('logs', 'sidecar');
    assert.match(logs.stdout, /backup|run \w{6}/);
    // The word goes in by standard input: in argv it would be an event of our own making.
    const files = await dockerWithInput(
      canary,
      ...['exec', '-i', name('sidecar'), 'sh', '-c', 'grep -raic -f - /backups /data || true'],
    );
    assert.match(files, /manifest\.json:0/);
    assert.doesNotMatch(files, /:[1-9]/);
    const places = { said: said.join('\n'), messages, logs: logs.stdout + logs.stderr, events: await leaks.text() };
    for (const [place, text] of Object.entries(places)) assert.ok(!text.includes(canary), `it is in ${place}`);

    await docker('stop', watch.name);
    const seen = JSON.parse((await docker('logs', watch.name)).split('\n').at(-1) ?? '') as Record<string, string[]>;
    for (const program of ['pg_dump', 'mysqldump', 'mariadb-dump']) {
      assert.ok(seen.programs?.includes(program), `${program} was seen among ${seen.programs}`);
    }
    // That image itself hands its password to its server in this way, each time it starts.
    const graph = await docker('inspect', '-f', '{{.Id}}', name('graph'));
    assert.deepEqual(
      seen.found?.filter((line) => !line.includes(graph)),
      [],
    );
    assert.deepEqual(await leftovers(stack.project, events), []);
  });
});
