import { rm, writeFile } from 'node:fs/promises';
import { build } from 'esbuild';
import { commandNames } from '../src/cli/program.ts';

/**
 * Bundles src/ into dist/: one entry, a chunk per dynamic import, so that each command loads only what it needs. The
 * image copies dist/ and holds no package manager.
 */
await rm('dist', { recursive: true, force: true });
const result = await build({
  entryPoints: ['src/main.ts'],
  outdir: 'dist',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  // Native speed-ups of ssh2, which dockerode brings for ssh:// hosts; they are optional and not installed.
  external: ['cpu-features', '*.node'],
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
// The image makes a program of each, so that `docker exec sidecar restore db` works as it reads.
await writeFile('dist/commands', `${commandNames.join('\n')}\n`);
await writeFile('dist/meta.json', JSON.stringify(result.metafile));
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist: ${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
