// Checks the house: imports run in one direction (tools/rooms.json), rooms are entered by their door (`#room`), files
// and functions keep their size. Run as part of `npm run ok` and `npm test`; prints each fault and exits 1.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
const rooms = JSON.parse(readFileSync(join(root, 'tools/rooms.json'), 'utf8'));
const faults = [];
const drawers = /^(utils?|helpers?|common|misc)\.ts$/;

function* walk(dir) {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    const path = join(dir, entry.name);
    if (entry.isDirectory()) yield* walk(path);
    else if (entry.name.endsWith('.ts')) yield path;
  }
}

const graph = new Map();
for (const path of walk(join(root, 'src'))) {
  const name = relative(root, path);
  const room = relative(join(root, 'src'), path).split('/')[0];
  const text = readFileSync(path, 'utf8');
  const isTest = path.endsWith('.test.ts') || path.includes('/testing/');
  const lines = text.split('\n').length;
  const limit = isTest ? 900 : 600;
  if (lines > limit) faults.push(`${name}: ${lines} lines, at most ${limit}`);
  if (drawers.test(path.split('/').at(-1))) faults.push(`${name}: a drawer; name the file after what it holds`);
  if (/^export (default|let|var) /m.test(text)) faults.push(`${name}: no default exports, no exported let`);
  const allowed = rooms[room];
  if (allowed === undefined) {
    faults.push(`${name}: ${room} is not in tools/rooms.json`);
    continue;
  }
  const edges = [];
  for (const match of text.matchAll(/(?:from|import)\s*\(?\s*['"]([^'"]+)['"]/g)) {
    const target = match[1];
    if (target.startsWith('#')) {
      const other = target.slice(1);
      const free = isTest && other === 'testkit';
      if (other !== room && !allowed.includes(other) && !allowed.includes('*') && !free) {
        faults.push(`${name}: ${room} may not import ${other}`);
      }
      if (other.includes('/')) faults.push(`${name}: ${target} goes past the door of ${other.split('/')[0]}`);
    } else if (target.startsWith('.')) {
      const file = resolve(dirname(path), target);
      if (!file.startsWith(`${join(root, 'src', room)}/`))
        faults.push(`${name}: ${target} leaves the room by a side window`);
      else if (!isTest) edges.push(file);
    }
  }
  if (!isTest) graph.set(path, edges);
}

// Circles between files; type-only imports count too: a circle of types is still two files that are one thing.
const state = new Map();
function visit(path, trail) {
  if (state.get(path) === 'done') return;
  if (state.get(path) === 'open') {
    const from = trail.indexOf(path);
    faults.push(`circle: ${[...trail.slice(from), path].map((file) => relative(root, file)).join(' -> ')}`);
    return;
  }
  state.set(path, 'open');
  for (const next of graph.get(path) ?? []) visit(next, [...trail, path]);
  state.set(path, 'done');
}
for (const path of graph.keys()) visit(path, []);

for (const fault of faults) console.error(fault);
console.error(faults.length === 0 ? 'layers: ok' : `layers: ${faults.length} faults`);
process.exitCode = faults.length === 0 ? 0 : 1;
