import { readFileSync, statSync } from 'node:fs';
import module, { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const dist = fileURLToPath(new URL('../dist/', import.meta.url));
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
  const script = new Script(readFileSync(filename, 'utf8'), { filename, cachedData });
  const target = { exports: {} };
  script.runInThisContext()(target, target.exports, createRequire(filename), dist);
  return target.exports;
}

/** Runs the `berth` program with this process's arguments. */
export async function start() {
  const program = bundled();
  if (program) return program.main();
  // Newer Node keeps the compiled code of the modules between runs.
  module.enableCompileCache?.();
  const { main } = await import('../dist/cli/index.js');
  await main();
}
