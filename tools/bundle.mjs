// Puts each program, with its libraries, into one file of dist, which bin/start.cjs prefers: reading hundreds of modules
// one by one costs more than most commands, and twice the memory. A module still runs only when it is first asked for.
// Beside each file lies its compiled code (compile-bundle.cjs); another version of Node than the one that made it compiles anew.
// usage: node tools/bundle.mjs
import { execFileSync } from 'node:child_process';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');

/** What bin/berthd starts Node with: compiled code is good for the same flags alone. */
const [, daemonFlags = ''] = /^flags='(.*)'$/m.exec(readFileSync(join(root, 'bin/berthd'), 'utf8')) ?? [];
const programs = [
  { name: 'berth', entry: 'dist/cli/index.js', flags: [] },
  { name: 'berthd', entry: 'dist/daemon/index.js', flags: daemonFlags.split(' ') },
];

/** Modules find files of the package beside themselves: each keeps the address that it has outside of the bundle. */
function ownUrl({ path }) {
  const url = `new URL(${JSON.stringify(relative(dist, path))}, bundleUrl).href`;
  return { contents: readFileSync(path, 'utf8').replaceAll('import.meta.url', `(${url})`) };
}

async function bundle({ name, entry, flags }) {
  const file = join(dist, `${name}.cjs`);
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: file,
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
    // They load machine code from where they lie.
    external: ['koffi', 'libsql'],
    // A script of node:vm cannot import(); require() is as late.
    supported: { 'dynamic-import': false },
    plugins: [{ name: 'own-urls', setup: (bundler) => bundler.onLoad({ filter: /\/dist\/.*\.js$/ }, ownUrl) }],
    banner: { js: "const bundleUrl = require('node:url').pathToFileURL(__dirname + '/');" },
    logLevel: 'warning',
  });
  const code = (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  // In ASCII, which is read faster than UTF-8.
  const text = outputFiles[0].text.replaceAll(/[^\0-\x7f]/g, code);
  // Nobody ever reads half a file.
  writeFileSync(`${file}.tmp`, `(function (module, exports, require, __dirname) {${text}\n})`);
  renameSync(`${file}.tmp`, file);
  execFileSync(process.execPath, [...flags, join(root, 'tools/compile-bundle.cjs'), name], { stdio: 'inherit' });
}

for (const program of programs) await bundle(program);
