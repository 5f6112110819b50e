import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRedactor } from '../domain/redact.ts';
import type { Command, Shell } from '../domain/shell.ts';
import type { Container } from '../domain/types.ts';
import { learningShell, learnSecrets } from './container-secrets.ts';

const env = {
  POSTGRES_USER: 'shopkeeper',
  POSTGRES_PASSWORD: 'hunter22',
  API_TOKEN: 'tok-12345',
  MYSQL_ROOT_PASSWORD: 'postgres',
  ADMIN_PASSWORD: 'shopkeeper',
  EMPTY_PASSWORD: '',
};
const container = {
  service: 'db',
  stack: 'shop',
  name: 'shop-db-1',
  image: 'docker.io/postgres:17',
  env,
} as unknown as Container;

test('fault 95: secrets in the environment of containers are known, names are not secrets', () => {
  const redactor = createRedactor();
  learnSecrets(container.env, container, redactor);
  assert.equal(
    redactor.redact('db/postgres of shopkeeper: hunter22 and tok-12345'),
    'db/postgres of shopkeeper: [redacted] and [redacted]',
  );
});

test('fault 95: what is handed to a command as a secret is known, wherever it was read from', async () => {
  const redactor = createRedactor();
  const given: Command[] = [];
  let now = container;
  const shell = {
    get container() {
      return now;
    },
    text: async (command: Command) => {
      given.push(command);
      return 'fine';
    },
    copyOut: async (path: string) => path,
  } as unknown as Shell;
  const learning = learningShell(shell, redactor);
  const command: Command = { argv: ['psql'], env: { PGPASSWORD: 'from a file', PGUSER: 'shop' } };
  assert.equal(await learning.text(command), 'fine');
  assert.deepEqual(given, [command]);
  assert.equal(redactor.redact('password "from a file" of shop'), 'password "[redacted]" of shop');
  now = { ...container, id: 'later' };
  assert.equal(learning.container.id, 'later', 'the container is read anew each time');
  assert.equal(await learning.copyOut('/x'), '/x');
});
