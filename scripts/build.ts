import { rm, writeFile } from 'node:fs/promises';
import { build, type Plugin } from 'esbuild';
import { commandNames } from '../src/cli/entries.ts';

/**
 * Bundles src/ into dist/: one entry, a chunk per dynamic import, so that each command loads only what it needs. The
 * image copies dist/ and holds no package manager.
 */
await rm('dist', { recursive: true, force: true });
/** What dockerode brings for `ssh://` hosts and BuildKit sessions: megabytes that Lifeboat never calls. */
const withoutUnused: Plugin = {
  name: 'without-unused',
  setup: (bundler) => {
    const filter = /^(?:ssh2|@grpc\/grpc-js|@grpc\/proto-loader|protobufjs)$/;
    bundler.onResolve({ filter }, ({ path }) => ({ path, namespace: 'unused' }));
    bundler.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};' }));
  },
};
/**
 * An ES import of `node:http` makes Node fill in every export of it, undici's among them: 50 ms and 16 MB that nobody
 * here uses. Asked for as a whole it costs a tenth of that.
 */
const withoutFacades: Plugin = {
  name: 'without-facades',
  setup: (bundler) => {
    bundler.onResolve({ filter: /^(?:node:)?https?$/ }, ({ path, kind }) =>
      kind === 'import-statement' ? { path: path.replace('node:', ''), namespace: 'builtin' } : undefined,
    );
    bundler.onLoad({ filter: /.*/, namespace: 'builtin' }, ({ path }) => ({
      contents: `module.exports = process.getBuiltinModule('node:${path}');`,
    }));
  },
};
/** zod's messages in fifty languages: Lifeboat words its own, and needs zod's English ones beneath them. */
const withoutLocales: Plugin = {
  name: 'without-locales',
  setup: (bundler) => {
    bundler.onLoad({ filter: /\/zod\/v4\/locales\/index\.js$/ }, () => ({
      contents: "export { default as en } from './en.js';",
    }));
  },
};
const result = await build({
  plugins: [withoutUnused, withoutFacades, withoutLocales],
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
  // Bundled CommonJS packages call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
});
// What runs in helpers, beside somebody's data: one small file without any package.
await build({
  entryPoints: ['src/inside/main.ts'],
  outfile: 'dist/inside.js',
  bundle: true,
  format: 'esm',
  platform: 'node',
  target: 'node24',
  minifySyntax: true,
  logLevel: 'warning',
});
// The image makes a program of each, so that `docker exec sidecar restore db` works as it reads.
await writeFile('dist/commands', `${commandNames.join('\n')}\n`);
await writeFile('dist/meta.json', JSON.stringify(result.metafile));
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
process.stdout.write(`dist: ${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB\n`);
