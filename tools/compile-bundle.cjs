// Writes the compiled code of a bundle, dist/NAME.cjs.cache. Run by tools/bundle.mjs, with the flags that the program runs with.
// usage: node [FLAGS] tools/compile-bundle.cjs NAME
const { readFileSync, renameSync, writeFileSync } = require('node:fs');
const { join } = require('node:path');
const { Script } = require('node:vm');

const [, , name] = process.argv;
const root = join(__dirname, '..');
const file = join(root, 'dist', `${name}.cjs`);
const silent = { write: () => true };

/** Runs harmless commands, so that what most commands run is among the compiled code. */
async function warmUp({ runCli }) {
  const terminal = {
    stdout: silent,
    stderr: silent,
    stdin: process.stdin,
    env: {},
    cwd: join(root, 'examples/guestbook'),
  };
  for (const words of ['compose version', 'compose config', 'ps --help']) {
    const status = await runCli(words.split(' '), terminal);
    if (status !== 0) throw new Error(`berth ${words} ended with ${status}`);
  }
}

async function compile() {
  const script = new Script(readFileSync(file, 'latin1'), { filename: file });
  const program = { exports: {} };
  script.runInThisContext()(program, program.exports, require, join(root, 'dist'));
  if (name === 'berth') await warmUp(program.exports);
  writeFileSync(`${file}.cache.tmp`, script.createCachedData());
  renameSync(`${file}.cache.tmp`, `${file}.cache`);
}

compile().then(() => process.exit());
