// CommonJS (see package.json here): Node starts its loader of ES modules only when one is asked for, 5 ms later.
const { readFileSync, statSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const dist = join(__dirname, '../dist/');
const changed = (name) => statSync(dist + name, { throwIfNoEntry: false })?.mtimeMs;

/** The program from one file (tools/bundle-cli.mjs); undefined where there is none, or a later build than it. */
function bundled() {
  const made = changed('berth.cjs');
  if (made === undefined || made < (changed('.tsbuildinfo') ?? 0)) return undefined;
  const filename = `${dist}berth.cjs`;
  let cachedData;
  try {
    cachedData = readFileSync(`${filename}.cache`);
  } catch {
    // Without the compiled code it is compiled here.
  }
  // The file is ASCII.
  const script = new Script(readFileSync(filename, 'latin1'), { filename, cachedData });
  const target = { exports: {} };
  script.runInThisContext()(target, target.exports, require, dist);
  return target.exports;
}

/** Runs the `berth` program with this process's arguments. */
exports.start = async () => {
  const program = bundled();
  if (program) return program.main();
  // Newer Node keeps the compiled code of the modules between runs.
  enableCompileCache?.();
  const { main } = await import('../dist/cli/index.js');
  await main();
};
