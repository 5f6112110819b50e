import { readFile, writeFile } from 'node:fs/promises';
import { referenceMarkdown } from '../src/config/reference.ts';
import { createVocabulary } from '../src/config/vocabulary.ts';
import { engines } from '../src/engines/index.ts';

/**
 * Writes docs/reference/configuration.md from the schema. With `--check` it writes nothing and exits with 1 when the
 * file is not what the schema says.
 */
const page = new URL('../docs/reference/configuration.md', import.meta.url);
const wanted = referenceMarkdown(createVocabulary(engines));

if (process.argv.includes('--check')) {
  const found = await readFile(page, 'utf8').catch((error: unknown) => `no page: ${String(error)}`);
  if (found !== wanted) {
    process.stderr.write(
      'docs/reference/configuration.md is not what src/config says; run: node scripts/reference.ts\n',
    );
    process.exitCode = 1;
  }
} else {
  await writeFile(page, wanted);
}
