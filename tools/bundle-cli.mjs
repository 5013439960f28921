// Puts the client side, with its libraries, into one file, dist/berth.cjs, which bin/berth prefers: reading 170 modules
// one by one costs more than most commands. A module still runs only when the command needs it. Its compiled code is kept
// beside it, in dist/berth.cjs.cache; another version of Node than the one that made it compiles anew.
// usage: node tools/bundle-cli.mjs
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const file = join(dist, 'berth.cjs');

/** Modules find files of the package beside themselves: each keeps the address that it has outside of the bundle. */
function ownUrl({ path }) {
  const url = `new URL(${JSON.stringify(relative(dist, path))}, bundleUrl).href`;
  return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', `(${url})`) };
}

const { outputFiles } = await build({
  absWorkingDir: root,
  entryPoints: ['dist/cli/index.js'],
  outfile: file,
  write: false,
  bundle: true,
  platform: 'node',
  target: 'node20',
  format: 'cjs',
  // A script of node:vm cannot import(); require() is as late.
  supported: { 'dynamic-import': false },
  plugins: [{ name: 'own-urls', setup: (bundler) => bundler.onLoad({ filter: /\.js$/ }, ownUrl) }],
  banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__dirname + '/');" },
  logLevel: 'warning',
});
/** In ASCII, which is read faster than UTF-8. */
const ascii = outputFiles[0].text.replaceAll(
  /[^\0-\x7f]/g,
  (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
);
const text = `(function (module, exports, require, __dirname) {${ascii}\n})`;
const script = new Script(text, { filename: file });
// Run once with harmless commands, so that what most commands run is in the cache as code.
const module = { exports: {} };
script.runInThisContext()(module, module.exports, createRequire(file), dist);
const silent = { write: () => true };
const terminal = {
  stdout: silent,
  stderr: silent,
  stdin: process.stdin,
  env: {},
  cwd: join(root, 'examples/guestbook'),
};
for (const words of ['compose version', 'compose config', 'ps --help']) {
  const status = await module.exports.runCli(words.split(' '), terminal);
  if (status !== 0) throw new Error(`berth ${words} ended with ${status}`);
}

/** Nobody ever reads half a file. */
function publish(path, content) {
  writeFileSync(`${path}.tmp`, content);
  renameSync(`${path}.tmp`, path);
}

publish(file, text);
publish(`${file}.cache`, script.createCachedData());
