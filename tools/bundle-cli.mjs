// Puts the emitted modules of the client side into one file, dist/berth.cjs, which bin/berth prefers: reading 170 files
// one by one costs more than most commands. A module becomes a function that runs when it is first asked for, so a
// command still runs only what it needs. It relies on the shape of what tsc emits for our code (named imports, no
// default exports, no exported variables that change, no cycles) and fails where that does not hold. The compiled code
// is kept beside it in dist/berth.cjs.cache; another version of Node than the one that made it compiles anew.
// usage: node tools/bundle-cli.mjs
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, relative, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

const dist = resolve(dirname(fileURLToPath(import.meta.url)), '../dist');
/** Path of each module to its number and, once made, its text. */
const modules = new Map();

function fail(path, message) {
  throw new Error(`bundle-cli: ${relative(dist, path)}: ${message}`);
}

/** The file that `specifier` means in `from`; undefined for packages and Node's own modules. */
function locate(specifier, from) {
  if (specifier.startsWith('.')) return resolve(dirname(from), specifier);
  if (specifier.startsWith('#')) return join(dist, specifier.slice(1), 'index.js');
  return undefined;
}

/** `a as b, c` with `join` between the names of a pair. */
function names(list, join) {
  return list
    .split(',')
    .map((word) => word.trim())
    .filter((word) => word !== '')
    .map((word) => word.split(' as '))
    .map(([name, other]) => join(name, other ?? name));
}

function bundle(path, above = []) {
  if (above.includes(path))
    fail(path, `imports itself by way of ${above.map((one) => relative(dist, one)).join(' -> ')}`);
  const known = modules.get(path);
  if (known) return known.number;
  const module = { number: modules.size, text: '' };
  modules.set(path, module);
  const lazy = [];
  const reference = (specifier) => {
    const target = locate(specifier, path);
    return target === undefined ? `require(${JSON.stringify(specifier)})` : `$get(${bundle(target, [...above, path])})`;
  };
  const early = [];
  const late = [];
  const lines = readFileSync(path, 'utf8').split('\n');
  const body = lines.map((line) => {
    if (line.startsWith('//# sourceMappingURL=') || line === 'export {};') return '';
    const imported = /^import \{([^}]*)\} from '([^']+)';$/.exec(line);
    if (imported) {
      const pairs = names(imported[1], (name, as) => (name === as ? name : `${name}: ${as}`));
      return `const { ${pairs.join(', ')} } = ${reference(imported[2])};`;
    }
    const all = /^export \* from '([^']+)';$/.exec(line);
    if (all) return `Object.assign($out, ${reference(all[1])});`;
    const passed = /^export \{([^}]*)\}(?: from '([^']+)')?;$/.exec(line);
    if (passed?.[2] !== undefined) {
      return `{ const $m = ${reference(passed[2])}; ${names(passed[1], (name, as) => `$out.${as} = $m.${name};`).join(' ')} }`;
    }
    if (passed) {
      late.push(...names(passed[1], (name, as) => `$out.${as} = ${name};`));
      return '';
    }
    const declared = /^export ((?:async )?function\*?|const|class) ([\w$]+)/.exec(line);
    if (declared) {
      (declared[1].includes('function') ? early : late).push(`$out.${declared[2]} = ${declared[2]};`);
      return line.slice('export '.length);
    }
    if (/^(import|export)\b/.test(line)) fail(path, `cannot read: ${line}`);
    return line;
  });
  const text = body.join('\n').replaceAll(/\bimport\('([^']+)'\)/g, (_all, specifier) => {
    const target = locate(specifier, path);
    if (target === undefined) return `$outside(${JSON.stringify(specifier)})`;
    lazy.push(target);
    return `$later(${JSON.stringify(relative(dist, target))})`;
  });
  const here = text.includes('import.meta.url')
    ? `const $url = $base + ${JSON.stringify(relative(dist, path))};\n`
    : '';
  module.text = `${here}${early.join(' ')}\n${text.replaceAll('import.meta.url', '$url')}\n${late.join(' ')}`;
  // Loaded on demand: no cycle can come of it.
  for (const target of lazy) bundle(target);
  return module.number;
}

const entry = bundle(join(dist, 'cli/index.js'));
const numbers = [...modules].map(([path, { number }]) => [relative(dist, path), number]);
const program = `'use strict';
const $base = require('node:url').pathToFileURL(__dirname).href + '/';
const $made = [];
const $get = (number) => {
  if ($made[number] === undefined) $modules[number](($made[number] = {}));
  return $made[number];
};
const $numbers = ${JSON.stringify(Object.fromEntries(numbers))};
const $later = async (path) => $get($numbers[path]);
const $outside = async (name) => require(name);
const $modules = [
${[...modules.values()].map(({ text }) => `($out) => {\n${text}\n},`).join('\n')}
];
module.exports = $get(${entry});
`;

/** Nobody ever reads half a file. */
function publish(name, content) {
  writeFileSync(join(dist, `${name}.tmp`), content);
  renameSync(join(dist, `${name}.tmp`), join(dist, name));
}

const text = `(function (module, require, __dirname) {${program}\n})`;
const script = new Script(text, { filename: join(dist, 'berth.cjs') });
// Run once with a harmless command, so that what every command runs is in the cache as code.
const module = { exports: {} };
script.runInThisContext()(module, createRequire(join(dist, 'berth.cjs')), dist);
const silent = { write: () => true };
await module.exports.runCli(['compose', 'version'], {
  stdout: silent,
  stderr: silent,
  stdin: process.stdin,
  env: {},
  cwd: '/',
});
publish('berth.cjs', text);
publish('berth.cjs.cache', script.createCachedData());
