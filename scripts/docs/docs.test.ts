import assert from 'node:assert/strict';
import { test } from 'node:test';
import { commandReference, commands } from './commands.ts';
import { configuration } from './configuration.ts';
import { files, links, mentions } from './links.ts';
import { names } from './names.ts';
import { type Check, readPage } from './page.ts';

/** What a check says of a page in docs/how-to, without where. */
async function flaws(check: Check, text: string, path = 'docs/how-to/page.md'): Promise<readonly string[]> {
  const found: string[] = [];
  for await (const { what } of check(readPage(path, text))) found.push(what.split(';')[0] ?? '');
  return found;
}

const block = (language: string, ...lines: readonly string[]) => `\`\`\`${language}\n${lines.join('\n')}\n\`\`\`\n`;

test('links, files and pages that do not exist', async () => {
  const text =
    '[a](nothing.md) [b](s3.md#nothing) [c](s3.md) [d](https://example.org) `[e](x)` `src/nothing.ts` `src/main.ts`';
  assert.deepEqual(await flaws(links, text), [
    'the link nothing.md leads nowhere',
    'the link s3.md#nothing names no heading of docs/how-to/s3.md',
  ]);
  assert.deepEqual(await flaws(files, text), ['there is no src/nothing.ts']);
  assert.deepEqual(await flaws(mentions, 'docs/how-to/s3.md docs/how-to/nothing.md', 'src/x.ts'), [
    'docs/how-to/nothing.md leads nowhere',
  ]);
});

test('command lines that Lifeboat does not take', async () => {
  const good = [
    '`lifeboat show <id>`',
    '`lifeboat <command> --help`',
    '`docker exec sidecar restore db --at "2026-11-20 03:00"`',
  ];
  assert.deepEqual(
    await flaws(commands, `${good.join(' ')} ${block('sh', 'docker exec sidecar export cache > x')}`),
    [],
  );
  const bad = `\`export db --bundel\` \`docker compose exec -T sidecar bakup\`
${block('sh', 'docker compose run --rm sidecar docter', 'cat x | docker run --rm -i lifeboat:1 config chek -')}
${block('console', '$ docker exec -it sidecar lifeboat verify --level deep # all')}`;
  assert.deepEqual(await flaws(commands, bad), [
    "lifeboat docter: unknown command 'docter'",
    "lifeboat config chek -: unknown command 'chek'",
    "lifeboat verify --level deep: option '--level <how>' argument 'deep' is invalid. Allowed choices are checksum, structure.",
    "lifeboat bakup: unknown command 'bakup'",
    "lifeboat export db --bundel: unknown option '--bundel'",
  ]);
});

test('commands and options that the reference leaves out', async () => {
  const found = await flaws(commandReference, '## version\n\n| `--json` | |\n', 'docs/reference/cli.md');
  assert.ok(found.includes('there is no section "## restore [target]"'));
  assert.ok(found.includes('the option -y, --yes is missing'));
  assert.ok(!found.some((each) => each.includes('version') || each.includes('--json')));
});

test('variables and labels that do not exist', async () => {
  const text =
    'LIFEBOAT_NOTHING, LIFEBOAT_JITTER_FILE, lifeboat.nothing, lifeboat.source.x.command, lifeboat.json, lifeboat.<engine>';
  assert.deepEqual(await flaws(names, text), [
    'there is no variable LIFEBOAT_NOTHING',
    'there is no label lifeboat.nothing',
  ]);
});

test('YAML that is none, and values that are not taken', async () => {
  const labels = block('yaml', '    labels:', '      lifeboat.timeout: 7dd');
  assert.match(String(await flaws(configuration, labels)), /label lifeboat.timeout .*"7dd" is not a valid duration/);
  assert.match(String(await flaws(configuration, block('yaml', 'services: : x'))), /this is no YAML/);
  assert.deepEqual(await flaws(configuration, block('yaml', 'services: { db: { lables: {} } }', 'serivces: {}')), [
    'a Compose file has no serivces',
    'a service has no lables (db)',
  ]);
  const file = block('yaml', '# config.yaml', 'dest: { local: { url: s4://x } }', 'timezone: Europe/Berlin');
  assert.match(String(await flaws(configuration, file)), /^key dest\.local\.url in config\.yaml:2: "s4:/);
  assert.match(
    String(await flaws(configuration, '`LIFEBOAT_JITTER=sometimes`')),
    /"sometimes" is not a valid duration/,
  );
});
