import assert from 'node:assert/strict';
import { glob, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readPage } from '../../../scripts/docs/page.ts';
import type { Plan } from '../../../src/runs/plan.ts';
import { userFolder } from './folder.ts';

const root = join(import.meta.dirname, '../../..');

describe('the examples', { concurrency: false }, () => {
  it('shop: without a label, plan lists every database and what is not covered; all come back from nothing', async () => {
    await using folder = await userFolder('shop');
    const shop = (line: string) => folder.type(line, 'examples/shop');
    assert.doesNotMatch(await readFile(join(folder.path, 'examples/shop/compose.yaml'), 'utf8'), /labels/);
    await shop('docker compose up -d --wait');
    const plan: Plan = JSON.parse(await shop('docker exec sidecar plan --json'));
    const found = plan.sources.map(({ name, survey }) => [name, survey?.items.map((item) => item.name)]);
    assert.deepEqual(Object.fromEntries(found), {
      'app/sqlite': ['/app/data/shop.sqlite3'],
      'cache/redis': ['dump'],
      'db/postgres': ['globals', 'postgres', 'shop'],
      'legacy/mysql': ['users', 'legacy'],
    });
    const uncovered = plan.uncovered.map(({ service, what, why }) => `${service}: ${what}: ${why}`);
    assert.equal(uncovered.length, 3, uncovered.join('\n'));
    assert.match(uncovered[0] ?? '', /^app: folder .*\/app at \/srv: the service only reads it; plain files/);
    assert.match(
      uncovered[1] ?? '',
      /^app: volume .*app-data at \/app\/data: of it, shop\.sqlite3 is saved as a database; plain files/,
    );
    assert.match(uncovered[2] ?? '', /^app: volume .*uploads at \/app\/uploads: plain files are not saved/);
    assert.match(await shop('docker compose exec -T app ls /app/uploads'), /logo\.svg/, 'and it holds some');
    const shown = await shop('docker exec sidecar plan');
    for (const words of [
      /db\/postgres {2}PostgreSQL 17/,
      /✔ shop {2}/,
      /app\/sqlite {2}SQLite/,
      /Not covered/,
      /app +volume/,
    ])
      assert.match(shown, words);

    await shop('docker compose exec -T db psql -U postgres -d shop -c "CREATE TABLE orders AS SELECT 17 AS number"');
    const mariadb = (sql: string) =>
      shop(
        `docker compose exec -T legacy sh -c 'mariadb -N -uroot -p"$(cat /run/secrets/db_password)" legacy -e "${sql}"'`,
      );
    await mariadb('CREATE TABLE customers SELECT 4 AS number');
    await shop('docker compose exec -T cache redis-cli SET basket full');
    const visit = (method: string) =>
      shop(
        `docker compose exec -T app node -e "fetch('http://127.0.0.1:3000/', { method: '${method}' }).then((r) => r.text()).then(console.log)"`,
      );
    assert.equal(await visit('POST'), '1 visits');
    await shop('docker exec sidecar backup');
    await shop('docker compose rm --stop --force --volumes app db legacy cache');
    for (const volume of ['app', 'db', 'legacy', 'cache'])
      await shop(`docker volume rm ${folder.project}_${volume}-data`);
    await shop('docker compose up -d --wait');
    assert.equal(await visit('GET'), '0 visits');
    for (const service of ['db', 'legacy', 'cache', 'app']) await shop(`docker exec sidecar restore ${service} --yes`);
    assert.equal(await shop('docker compose exec -T db psql -XAt -U postgres -d shop -c "TABLE orders"'), '17');
    assert.equal(await mariadb('SELECT number FROM customers'), '4');
    assert.equal(await shop('docker compose exec -T cache redis-cli GET basket'), 'full');
    assert.equal(await visit('GET'), '1 visits');
  });

  it('falkordb: the graph comes back when its container and volume are gone', async () => {
    await using folder = await userFolder('falkordb');
    const type = (line: string) => folder.type(line, 'examples/falkordb');
    const asked = (path: string, method = 'GET') =>
      type(
        `docker compose exec -T app node -e "fetch('http://127.0.0.1:3000${path}', { method: '${method}' }).then((r) => r.text()).then(console.log)"`,
      );
    await type('docker compose up -d --wait');
    for (const pair of ['/Ada/Grace', '/Grace/Barbara', '/Ada/Barbara', '/Gr%C3%BC%C3%9Fe/Ada'])
      await asked(pair, 'POST');
    assert.equal(await asked('/'), '4 people, 4 acquaintances');
    await type('docker exec sidecar backup');
    await type(
      `docker compose rm --stop --force --volumes graph app && docker volume rm ${folder.project}_graph-data && docker compose up -d --wait`,
    );
    assert.equal(await asked('/'), '0 people, 0 acquaintances');
    await type('docker exec sidecar restore graph --yes');
    assert.equal(await asked('/'), '4 people, 4 acquaintances');
    await asked('/Ada/Katherine', 'POST');
    assert.equal(await asked('/'), '5 people, 5 acquaintances', 'and the app goes on with it');
  });

  it('restore on another host: only the folder with the backups came along, under another project name', async () => {
    await using old = await userFolder();
    await using fresh = await userFolder();
    const stack = (settings: string) => `cat >compose.yaml <<'END'
include: [docker-compose.backup.yml]
services:
  db:
    image: postgres:17
    environment: { POSTGRES_DB: shop, POSTGRES_PASSWORD: change-me }
    volumes: [db-data:/var/lib/postgresql/data]
    healthcheck: { test: ["CMD-SHELL", "pg_isready -q -h 127.0.0.1 -U postgres -d shop"], interval: 1s, start_period: 1m }
volumes: { db-data: {} }
END
sed -i 's|file:///backups|file:///backups${settings}|' docker-compose.backup.yml`;
    const count = 'docker compose exec -T db psql -X -A -t -U postgres -d shop -c "SELECT count(*) FROM orders"';
    await old.type(stack(''));
    await old.type('docker compose up -d --wait');
    await old.type(
      'docker compose exec -T db psql -U postgres -d shop -c "CREATE TABLE orders AS SELECT i FROM generate_series(1, 500) i"',
    );
    await old.type('docker exec sidecar backup');
    await old.type('docker compose down --volumes --timeout 1');

    await rename(join(old.path, 'backups'), join(fresh.path, 'backups'));
    await fresh.type(stack(`\\n      LIFEBOAT_NAME: ${old.project}`));
    await fresh.type('docker compose up -d --wait db');
    assert.match(await fresh.type('docker compose run --rm sidecar list'), /db\/postgres/);
    await fresh.type('docker compose run --rm sidecar restore db --yes');
    assert.equal(await fresh.type(count), '500');
  });

  it('the pages: Compose takes every part of a file that they show, beside the drop-in', async () => {
    const pages = await Array.fromAsync(glob('{README,CONTRIBUTING,docs/**/*}.md', { cwd: root }));
    let taken = 0;
    for (const page of pages) {
      for (const { language, text } of readPage(page, await readFile(join(root, page), 'utf8')).blocks) {
        if (language !== 'yaml' || !/^(services|secrets|networks):/m.test(text) || text.startsWith('# config.yaml'))
          continue;
        await using folder = await userFolder();
        // What a page leaves out of a service that is not ours is its image.
        const others = Array.from(text.matchAll(/^ {2}([a-z-]+):$/gm), ([, name]) => name).filter(
          (name) => name !== 'sidecar' && text.indexOf('services:') < text.indexOf(`\n  ${name}:`),
        );
        const rest = { services: Object.fromEntries(others.map((name) => [name, { image: 'any' }])) };
        await writeFile(join(folder.path, 'rest.json'), JSON.stringify(rest));
        await writeFile(join(folder.path, 'part.yaml'), text.replace(/^include:.*$/m, ''));
        await folder.type(
          'SOCKET_PROXY_IMAGE=any DOCKER_GID=1 docker compose -f docker-compose.backup.yml -f rest.json -f part.yaml config --quiet',
        );
        taken += 1;
      }
    }
    assert.ok(taken > 10, `${taken} parts`);
  });

  it('the tutorial: every command of it, as it is written', async () => {
    const page = await readFile(join(root, 'docs/tutorial/first-backup-and-restore.md'), 'utf8');
    const [, afterBuild = ''] = page.split(/^## 2\..*$/m);
    await using folder = await userFolder();
    const said: string[] = [];
    for (const [, language, text = ''] of afterBuild.matchAll(/^```(\w+)\n([\s\S]*?)^```$/gm)) {
      if (language === 'yaml') await folder.type(`cat >compose.yaml <<'END'\n${text}END`);
      const lines = text.replaceAll(/\\\n\s*/g, '').split('\n');
      const typed =
        language === 'console'
          ? lines.flatMap((line) => (line.startsWith('$ ') ? [line.slice(2)] : []))
          : language === 'sh'
            ? lines
            : [];
      for (const line of typed.filter(Boolean)) said.push(await folder.type(line));
    }
    const all = said.join('\n');
    assert.match(all, /db\/postgres {2}PostgreSQL 17/, 'plan');
    assert.match(all, /DELETE 10000/, 'the data was lost');
    assert.match(all, /✔ restored db\/postgres from \w{6}/);
    assert.match(all, /^\s*20000$/m, 'and is back');
    assert.ok(typedLines(afterBuild) <= said.length, 'no command was left out');
  });
});

/** How many lines of the page begin a command, read another way. */
function typedLines(page: string): number {
  return page.split('\n').filter((line) => /^(\$ )?docker /.test(line)).length;
}
