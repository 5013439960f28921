#!/usr/bin/env node
// Moves images in and out of several engines in turns and prints medians and ratios to the first engine.
// usage: bench-images.mjs --engine docker=unix:///run/docker.sock --engine berth=unix:///run/berth/berth.sock
//        [--image debian:bookworm] [-n 5] [--only pull,push]
// Needs the docker CLI, Debian's docker-registry, and the image in the first engine. Whatever it makes, it removes.
import { spawn, spawnSync } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { answers, freePort } from './ports.mjs';

const { values } = parseArgs({
  options: {
    engine: { type: 'string', multiple: true, default: [] },
    image: { type: 'string', default: 'debian:bookworm' },
    rounds: { type: 'string', short: 'n', default: '5' },
    only: { type: 'string' },
  },
});
const engines = values.engine.map((text) => {
  const at = text.indexOf('=');
  return { name: text.slice(0, at), host: text.slice(at + 1) };
});
const [first] = engines;
if (first === undefined) throw new Error('name at least one engine: --engine NAME=DOCKER_HOST');
const rounds = Number(values.rounds);
const work = mkdtempSync(join(tmpdir(), 'bench-images-'));
const unique = `bench-images-${randomBytes(4).toString('hex')}`;

/** Runs the docker CLI against an engine; returns stdout, throws with what it printed. */
function docker(engine, args, options = {}) {
  const result = spawnSync('docker', ['-H', engine.host, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 28,
    ...options,
  });
  if (result.status !== 0 && !options.mayFail) {
    throw new Error(`${engine.name}: docker ${args.join(' ')}: ${result.stderr}`);
  }
  return result.stdout ?? '';
}

function timed(engine, args) {
  const begin = process.hrtime.bigint();
  docker(engine, args);
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

function run(program, args, options = {}) {
  const result = spawnSync(program, args, { encoding: 'utf8', ...options });
  if (result.status !== 0) throw new Error(`${program} ${args.join(' ')}: ${result.stderr}`);
  return result.stdout;
}

const forget = (engine, name) => docker(engine, ['rmi', '-f', name], { mayFail: true });

/** Writes a docker-archive with these layer tars; returns its path. */
function archiveOf(name, layers) {
  const directory = join(work, `archive-${createHash('sha256').update(name).digest('hex').slice(0, 12)}`);
  mkdirSync(directory);
  const diffIds = layers.map((file, index) => {
    run('cp', ['--reflink=auto', file, join(directory, `${index}.tar`)]);
    return `sha256:${run('sha256sum', [file]).split(' ')[0]}`;
  });
  const config = {
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    os: 'linux',
    created: new Date(0).toISOString(),
    config: { Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: diffIds },
    history: diffIds.map(() => ({ created: new Date(0).toISOString() })),
  };
  writeFileSync(join(directory, 'config.json'), JSON.stringify(config));
  const entry = { Config: 'config.json', RepoTags: [name], Layers: layers.map((_, index) => `${index}.tar`) };
  writeFileSync(join(directory, 'manifest.json'), JSON.stringify([entry]));
  const path = `${directory}.tar`;
  run('tar', ['-cf', path, '-C', directory, '.']);
  rmSync(directory, { recursive: true });
  return path;
}

/** A copy of a root file system with a file of its own, so that no engine has the layer yet. */
function freshRootfs(rootfs, label) {
  const path = join(work, `rootfs-${label}.tar`);
  run('cp', [rootfs, path]);
  const file = join(work, `${unique}-${label}`);
  writeFileSync(file, randomBytes(64));
  run('tar', ['-rf', path, '-C', work, `${unique}-${label}`]);
  rmSync(file);
  return path;
}

/** Layers of 64 small files each. */
function smallLayers(count) {
  return Array.from({ length: count }, (_, layer) => {
    const directory = join(work, `layer-${layer}`);
    mkdirSync(join(directory, `d${layer}`), { recursive: true });
    for (let file = 0; file < 64; file += 1) {
      writeFileSync(join(directory, `d${layer}/f${file}`), randomBytes(2048));
    }
    run('tar', ['-cf', `${directory}.tar`, '-C', directory, '.']);
    rmSync(directory, { recursive: true });
    return `${directory}.tar`;
  });
}

async function startRegistry() {
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const file = join(work, 'registry.yml');
  const storage = { filesystem: { rootdirectory: join(work, 'registry') } };
  writeFileSync(file, JSON.stringify({ version: '0.1', log: { level: 'info' }, storage, http: { addr: host } }));
  // Its log goes to a file: a pipe that nobody reads while a client is waited for would hold it up.
  const log = openSync(join(work, 'registry.log'), 'w');
  const child = spawn('docker-registry', ['serve', file], { stdio: ['ignore', 'ignore', log] });
  closeSync(log);
  const ended = await Promise.race([once(child, 'exit'), answers(port)]);
  if (ended !== undefined) throw new Error(`docker-registry ended with ${ended[0]}`);
  return { host, child };
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

/** Runs one workload `rounds` times on each engine, in turns, after one round that does not count. */
function measure(label, body) {
  if (values.only !== undefined && !values.only.split(',').some((word) => label.includes(word))) return;
  const times = engines.map(() => []);
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, engine] of engines.entries()) {
      const time = body(engine, round);
      if (round >= 0) times[index].push(time);
    }
  }
  const base = median(times[0]);
  const columns = engines.map(({ name }, index) => {
    const middle = median(times[index]);
    const ratio = index === 0 ? '' : ` x${(middle / base).toFixed(2)}`;
    return `${name} ${middle.toFixed(0)} (${Math.min(...times[index]).toFixed(0)}-${Math.max(...times[index]).toFixed(0)})${ratio}`;
  });
  console.log(`${label.padEnd(44)} ${columns.join('  ')}`);
}

function measureImage(label, { archive, name, registry }) {
  for (const engine of engines) docker(engine, ['load', '-q', '-i', archive]);
  const remote = `${registry}/${name}`;
  docker(first, ['tag', name, remote]);
  docker(first, ['push', '-q', remote]);
  for (const engine of engines) forget(engine, remote);
  const saved = (engine) => join(work, `${engine.name}-saved.tar`);
  measure(`save, ${label}`, (engine) => timed(engine, ['save', '-o', saved(engine), name]));
  for (const engine of engines) rmSync(saved(engine), { force: true });
  for (const engine of engines) forget(engine, name);
  measure(`load, ${label}`, (engine) => {
    forget(engine, name);
    return timed(engine, ['load', '-q', '-i', archive]);
  });
  for (const engine of engines) forget(engine, name);
  measure(`pull, ${label}`, (engine) => {
    forget(engine, remote);
    return timed(engine, ['pull', '-q', remote]);
  });
  for (const engine of engines) docker(engine, ['pull', '-q', remote]);
  measure(`pull, tag unchanged, ${label}`, (engine) => timed(engine, ['pull', '-q', remote]));
  for (const engine of engines) docker(engine, ['tag', remote, name]);
  measure(`pull, all layers there, ${label}`, (engine) => {
    forget(engine, remote);
    return timed(engine, ['pull', '-q', remote]);
  });
  for (const engine of engines) for (const each of [name, remote]) forget(engine, each);
}

/** The first push of an image that was made here: the layer has to be packed. */
function measurePush(rootfs, registry) {
  let count = 0;
  measure('push of a new 1-layer image', (engine) => {
    count += 1;
    const name = `${registry}/${unique}-push/${engine.name}:${count}`;
    const layer = freshRootfs(rootfs, `push${count}`);
    const archive = archiveOf(name, [layer]);
    docker(engine, ['load', '-q', '-i', archive]);
    rmSync(layer);
    rmSync(archive);
    const time = timed(engine, ['push', '-q', name]);
    forget(engine, name);
    return time;
  });
}

const registry = await startRegistry();
try {
  const container = docker(first, ['create', values.image]).trim();
  const rootfs = join(work, 'rootfs.tar');
  const output = openSync(rootfs, 'w');
  docker(first, ['export', container], { stdio: ['ignore', output, 'pipe'], encoding: undefined });
  closeSync(output);
  docker(first, ['rm', '-f', container]);
  const size = (statSync(rootfs).size / 1e6).toFixed(0);
  console.log(`engines: ${engines.map(({ name }) => name).join(', ')}; ${rounds} rounds; median ms (min-max), ratio`);
  const large = { name: `${unique}:large`, registry: registry.host };
  const fresh = freshRootfs(rootfs, 'large');
  measureImage(`1 layer of ${size} MB`, { ...large, archive: archiveOf(large.name, [fresh]) });
  measurePush(rootfs, registry.host);
  const many = { name: `${unique}:many`, registry: registry.host };
  measureImage('60 layers of 64 files', { ...many, archive: archiveOf(many.name, smallLayers(60)) });
} finally {
  registry.child.kill();
  await once(registry.child, 'exit');
  rmSync(work, { recursive: true, force: true });
}
