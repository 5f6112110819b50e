import { glob, readFile } from 'node:fs/promises';
import { dirname, join, normalize } from 'node:path';

/**
 * Holds the house in order: dependencies point one way, adapter folders never import each other, and each foreign SDK is
 * imported in exactly one file. Fails with the import that breaks a rule.
 */
const mayImport: Record<string, readonly string[]> = {
  domain: [],
  config: ['domain'],
  docker: ['domain'],
  engines: ['domain'],
  // Programs of their own that run in helpers; engines know them by name only.
  inside: ['domain'],
  codecs: ['domain'],
  stores: ['domain'],
  // A catalog is a view of one store; it knows the contract, not the drivers.
  catalog: ['domain', 'stores'],
  notifiers: ['domain'],
  runs: ['domain', 'engines', 'codecs', 'stores', 'catalog', 'notifiers'],
  daemon: ['domain', 'runs'],
  cli: ['domain', 'runs'],
};

/** Packages that only one file may know. */
const oneFile = [
  'dockerode',
  '@aws-sdk/client-s3',
  '@aws-sdk/lib-storage',
  'execa',
  'pino',
  'croner',
  'nodemailer',
  'fastify',
  'undici',
  'archiver',
  'yaml',
];

const problems: string[] = [];
const importers = new Map<string, Set<string>>();
const pattern = /(?:from|import)\s*\(?\s*'([^']+)'/g;

for await (const file of glob('src/**/*.ts')) {
  if (file.endsWith('.test.ts')) continue;
  const folder = file.split('/')[1] ?? '';
  const text = await readFile(file, 'utf8');
  for (const [, target = ''] of text.matchAll(pattern)) {
    if (target.startsWith('.')) checkFolder(file, folder, normalize(join(dirname(file), target)));
    else if (oneFile.includes(target)) importers.set(target, (importers.get(target) ?? new Set()).add(file));
  }
}

for (const [sdk, files] of importers) {
  if (files.size > 1) problems.push(`${sdk} is imported in ${[...files].join(' and ')}; one file only`);
}

function checkFolder(file: string, folder: string, target: string): void {
  const to = target.split('/')[1] ?? '';
  const allowed = mayImport[folder];
  // Files at the top of src wire everything together.
  if (allowed === undefined || to === folder) return;
  if (!allowed.includes(to))
    problems.push(`${file} imports ${target}; ${folder} may import ${allowed.join(', ') || 'nothing'}`);
}

for (const problem of problems) process.stderr.write(`${problem}\n`);
process.stdout.write(`boundaries: ${problems.length} problems\n`);
process.exitCode = problems.length > 0 ? 1 : 0;
