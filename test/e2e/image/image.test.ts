import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { commandNames } from '../../../src/cli/entries.ts';
import { docker, dockerWithInput } from '../../support/testbed.ts';

const image = process.env.LIFEBOAT_TEST_IMAGE ?? 'lifeboat:test';
const base = process.env.LIFEBOAT_TEST_BASE_IMAGE ?? 'debian:trixie-slim';

/** What a script says in a container of the image, with a read-only root and without a network. */
const said = (script: string, of = image) =>
  dockerWithInput(script, 'run', '--rm', '-i', '--read-only', '--network', 'none', '--entrypoint', 'sh', of);

interface Config {
  readonly Entrypoint: readonly string[];
  readonly Cmd: readonly string[];
  readonly Healthcheck: { readonly Test: readonly string[] };
  readonly Labels: Readonly<Record<string, string>>;
}

describe('the image', () => {
  let config: Config;
  before(async () => {
    config = JSON.parse(await docker('image', 'inspect', '--format', '{{json .Config}}', image));
  });

  it('runs the daemon behind tini and asks it how it is', () => {
    assert.deepEqual([...config.Entrypoint, ...config.Cmd], ['tini', '-g', '--', 'lifeboat', 'daemon']);
    assert.deepEqual(config.Healthcheck.Test, ['CMD', 'lifeboat', 'healthcheck']);
  });

  it('says what it is and of what it was made', () => {
    const label = (name: string) => config.Labels[`org.opencontainers.image.${name}`] ?? '';
    for (const name of ['title', 'description', 'licenses', 'version', 'revision', 'created', 'base.name'])
      assert.notEqual(label(name), '', name);
    assert.equal(label('base.name'), base);
  });

  it('works with a read-only root and without a network', async () => {
    const version = await docker('run', '--rm', '--read-only', '--network', 'none', image, 'version');
    assert.match(version, new RegExp(`^lifeboat ${config.Labels['org.opencontainers.image.version']} `));
  });

  it('has every command as a program, and beside them Node alone', async () => {
    const programs = (await said('ls /usr/local/bin /usr/local/lib')).split('\n').filter((line) => /^\w+$/.test(line));
    assert.deepEqual(programs.sort(), [...commandNames, 'lifeboat', 'node'].sort());
  });

  it('trusts public authorities without a package for it', async () => {
    assert.ok(Number(await said(`node -p 'require("tls").rootCertificates.length'`)) > 50);
  });

  it('holds no package that its page does not give a reason for', async () => {
    const list = `dpkg-query -W -f='\${Package}\\n'`;
    const [ours, theirs] = await Promise.all([said(list), said(list, base)]);
    const page = await readFile(join(import.meta.dirname, '../../../docs/explanation/image.md'), 'utf8');
    const named = new Set(Array.from(page.matchAll(/`([\w.-]+)`/g), ([, name]) => name));
    const shared = new Set(theirs.split('\n'));
    const unexplained = ours.split('\n').filter((name) => !shared.has(name) && !named.has(name));
    assert.deepEqual(unexplained, []);
  });

  it('holds of Lifeboat only what is loaded', async () => {
    const unloaded = await said(
      `cd /opt/lifeboat; for file in *; do grep -qsF "$file" *.js || echo "$file"; done; find . -name '*.map' -o -name '*.test.*'`,
    );
    assert.equal(unloaded, '');
  });
});
