// Runs the emitted tests and ends with the line "N passed, N failed".
// usage: node tools/run-tests.mjs [--unit] [--integration] [--match TEXT]
// Unit tests (dist/**/*.test.js) run two files at a time, integration tests (dist-test/**/*.test.js) one at a time,
// because they share the machine's network. What the whole run leaves on the host is compared with what was there.
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join, relative, resolve } from 'node:path';
import { run } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findDockerCli, leaksSince, snapshotHost } from '../dist/testkit/index.js';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const args = process.argv.slice(2);
const match = args.includes('--match') ? args[args.indexOf('--match') + 1] : '';
const both = !args.includes('--unit') && !args.includes('--integration');
const count = { passed: 0, failed: 0, skipped: 0 };
const failures = [];

function testsIn(dir) {
  if (!existsSync(join(root, dir))) return [];
  const files = readdirSync(join(root, dir), { recursive: true });
  const tests = files.filter((file) => file.endsWith('.test.js') && file.includes(match));
  return tests.map((file) => join(root, dir, file)).sort();
}

function record({ type, data }) {
  if (type === 'test:stderr' || type === 'test:stdout') process.stdout.write(data.message);
  if (type !== 'test:pass' && type !== 'test:fail') return;
  const isFile = data.nesting === 0 && data.name === data.file;
  // A suite counts where it fails by itself, in a hook; its tests are then given up without a reason of their own.
  const byItself = type === 'test:fail' && data.details.error?.failureType === 'hookFailed';
  if ((data.details?.type === 'suite' && !byItself) || (isFile && type === 'test:pass')) return;
  if (data.skip !== undefined) {
    count.skipped++;
    console.log(`skip  ${data.name}${typeof data.skip === 'string' ? `: ${data.skip}` : ''}`);
  } else if (type === 'test:pass') {
    count.passed++;
    if (process.env.VERBOSE) console.log(`ok    ${data.name} (${Math.round(data.details.duration_ms)} ms)`);
  } else {
    const error = data.details?.error;
    // What holds a failed test fails with it; only the test itself counts.
    if (error?.failureType === 'subtestsFailed') return;
    count.failed++;
    failures.push(`${relative(root, data.file ?? '')}: ${data.name}`);
    console.log(`FAIL  ${data.name}\n${String(error?.cause?.stack ?? error?.stack ?? error)}\n`);
  }
}

async function runFiles(title, files, concurrency) {
  if (files.length === 0) return;
  console.log(`# ${title}: ${files.length} files`);
  const started = Date.now();
  for await (const event of run({ files, concurrency, timeout: 300_000 })) record(event);
  console.log(`# ${title}: ${((Date.now() - started) / 1000).toFixed(1)} s`);
}

// Tests that pipe commands together call `docker` by its name.
process.env.PATH = `${process.env.PATH}${delimiter}${findDockerCli().directory}`;

const before = await snapshotHost();
if (both || args.includes('--unit')) await runFiles('unit', testsIn('dist'), 2);
if (both || args.includes('--integration')) await runFiles('integration', testsIn('dist-test'), 1);

const leaks = await leaksSince(before);
for (const leak of leaks) console.log(`LEAK  ${leak}`);
if (leaks.length === 0) count.passed++;
else {
  count.failed++;
  failures.push('the run left things behind on the host');
}
for (const failure of failures) console.log(`failed: ${failure}`);
const skipped = count.skipped > 0 ? `, ${count.skipped} skipped` : '';
console.log(`${count.passed} passed, ${count.failed} failed${skipped}`);
process.exit(count.failed === 0 ? 0 : 1);
