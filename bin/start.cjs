// CommonJS (see package.json here): Node starts its loader of ES modules only when one is asked for, 5 ms later.
const { readFileSync, statSync } = require('node:fs');
const { enableCompileCache } = require('node:module');
const { join } = require('node:path');
const { Script } = require('node:vm');

const dist = join(__dirname, '../dist/');
const modules = { berth: '../dist/cli/index.js', berthd: '../dist/daemon/index.js' };
const changed = (name) => statSync(dist + name, { throwIfNoEntry: false })?.mtimeMs;

/** A program from its one file (tools/bundle.mjs); undefined where there is none, or a later build than it. */
function bundled(name) {
  const made = changed(`${name}.cjs`);
  if (made === undefined || made < (changed('.tsbuildinfo') ?? 0)) return undefined;
  const filename = `${dist}${name}.cjs`;
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

/** Runs a program, `berth` or `berthd`, with this process's arguments. */
exports.start = async (name) => {
  const program = bundled(name);
  if (program) return program.main();
  // Newer Node keeps the compiled code of the modules between runs.
  enableCompileCache?.();
  const { main } = await import(modules[name]);
  await main();
};
