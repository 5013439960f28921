#!/usr/bin/env node
// Moves blobs to and from Berth's registry and Debian's docker-registry in turns over loopback, prints medians and the
// ratio, then lets many clients pull one image at once from Berth's and prints the server's peak memory.
// usage: bench-registry.mjs [-n 5] [--megabytes 256] [--pulls 200] [--image-megabytes 60] [--only throughput|pulls]
// Needs `npm run build`, curl and the package docker-registry. All it makes lies in the temp directory and is removed.
// Each client is a curl(1), which verifies nothing and writes nothing, so that the server's work is what is measured.
import { spawn } from 'node:child_process';
import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { answers, freePort } from './ports.mjs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', short: 'n', default: '5' },
    megabytes: { type: 'string', default: '256' },
    pulls: { type: 'string', default: '200' },
    'image-megabytes': { type: 'string', default: '60' },
    only: { type: 'string' },
  },
});
const rounds = Number(values.rounds);
const work = mkdtempSync(join(tmpdir(), 'bench-registry-'));
const program = resolve(fileURLToPath(import.meta.url), '../../dist/registry-server/main.js');
const manifestType = 'application/vnd.oci.image.manifest.v1+json';

async function start(name, command) {
  const port = await freePort();
  const [file, ...args] = command(port);
  const log = openSync(join(work, `${name}.log`), 'w');
  const child = spawn(file, args, { stdio: ['ignore', log, log] });
  closeSync(log);
  const ended = await Promise.race([once(child, 'exit'), answers(port)]);
  if (ended !== undefined) throw new Error(`${name} ended: ${readFileSync(join(work, `${name}.log`), 'utf8')}`);
  return { name, child, url: `http://127.0.0.1:${port}` };
}

function distribution(port) {
  const file = join(work, 'distribution.json');
  const storage = { filesystem: { rootdirectory: join(work, 'distribution') } };
  const http = { addr: `127.0.0.1:${port}` };
  writeFileSync(file, JSON.stringify({ version: '0.1', log: { accesslog: { disabled: true } }, storage, http }));
  return ['docker-registry', 'serve', file];
}

const berth = (port) => [process.execPath, program, '--addr', `127.0.0.1:${port}`, '--data', join(work, 'berth')];

/** A file of random bytes, and its digest. */
function randomFile(name, megabytes) {
  const path = join(work, name);
  const hash = createHash('sha256');
  const output = openSync(path, 'w');
  for (let written = 0; written < megabytes; written += 1) {
    const bytes = randomBytes(1_000_000);
    hash.update(bytes);
    writeSync(output, bytes);
  }
  closeSync(output);
  return { path, digest: `sha256:${hash.digest('hex')}`, size: megabytes * 1_000_000 };
}

/** Runs curl; resolves with what it wrote of `format`, rejects where the answer is an error. */
async function curl(format, ...args) {
  const child = spawn('curl', ['-sS', '--fail-with-body', '-o', '/dev/null', '-w', format, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  child.stdout.on('data', (chunk) => {
    text += chunk;
  });
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`curl ${args.join(' ')}: ${code}`);
  return text;
}

async function push(server, repository, blob) {
  const begun = await curl('%header{location}', '-X', 'POST', `${server.url}/v2/${repository}/blobs/uploads/`);
  const target = new URL(begun, server.url);
  target.searchParams.set('digest', blob.digest);
  const type = 'content-type: application/octet-stream';
  await curl('', '-X', 'PUT', '-T', blob.path, '-H', type, '-H', 'expect:', target.href);
}

const pull = (server, repository, blob) =>
  curl('%{size_download}', `${server.url}/v2/${repository}/blobs/${blob.digest}`);

/** CPU time of a process so far, in ms (proc(5), stat: fields 14 and 15 in ticks of 10 ms). */
function cpuOf(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, 'latin1').split(') ')[1].split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

async function timed(body) {
  const begin = process.hrtime.bigint();
  await body();
  return Number(process.hrtime.bigint() - begin) / 1e6;
}

const median = (list) => list.toSorted((a, b) => a - b)[list.length >> 1] ?? Number.NaN;

/** A row of MB/s and CPU time, and the ratio of the first server's rate to the last one's. */
function report(label, servers, { times, cpu }, megabytes) {
  const rates = times.map((list) => (megabytes * 1000) / median(list));
  const columns = servers.map(({ name }, index) => {
    const range = `${Math.min(...times[index]).toFixed(0)}-${Math.max(...times[index]).toFixed(0)} ms`;
    return `${name} ${rates[index].toFixed(0)} MB/s (${range}, CPU ${median(cpu[index])} ms)`;
  });
  console.log(`${label.padEnd(34)} ${columns.join('  ')}  x${(rates[0] / rates.at(-1)).toFixed(2)}`);
}

async function throughput(servers) {
  const megabytes = Number(values.megabytes);
  for (const parallel of [1, 4]) {
    const none = () => ({ times: servers.map(() => []), cpu: servers.map(() => []) });
    const found = { push: none(), pull: none() };
    for (let round = -1; round < rounds; round += 1) {
      // New bytes each time: no server has them, and no client waits for one to be made.
      const blobs = Array.from({ length: parallel }, (_, n) =>
        randomFile(`blob-${n}`, Math.round(megabytes / parallel)),
      );
      // Each goes first in every other round.
      const order = [...servers.entries()];
      if (round % 2 === 0) order.reverse();
      for (const [index, server] of order) {
        const all = (action) => timed(() => Promise.all(blobs.map((blob) => action(server, 'bench/blobs', blob))));
        for (const [label, action] of Object.entries({ push, pull })) {
          const before = cpuOf(server.child.pid);
          const time = await all(action);
          if (round < 0) continue;
          found[label].times[index].push(time);
          found[label].cpu[index].push(cpuOf(server.child.pid) - before);
        }
      }
    }
    for (const label of ['push', 'pull']) {
      report(`${label}, ${parallel} at a time, ${megabytes} MB in all`, servers, found[label], megabytes);
    }
  }
}

/** Proportional set size of a process in MB (proc(5), smaps_rollup). */
function memoryOf(pid) {
  return Number(/^Pss:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/smaps_rollup`, 'latin1'))?.[1]) / 1000;
}

async function pulls(server) {
  const megabytes = Number(values['image-megabytes']);
  const count = Number(values.pulls);
  const repository = 'bench/image';
  const config = join(work, 'config.json');
  writeFileSync(config, '{}');
  const configBlob = {
    path: config,
    size: 2,
    digest: `sha256:${createHash('sha256').update('{}').digest('hex')}`,
  };
  const layers = [0, 1, 2].map((layer) => randomFile(`layer-${layer}`, Math.round(megabytes / 3)));
  for (const blob of [configBlob, ...layers]) await push(server, repository, blob);
  const describe = ({ digest, size }, mediaType) => ({ mediaType, digest, size });
  const manifest = join(work, 'manifest.json');
  writeFileSync(
    manifest,
    JSON.stringify({
      schemaVersion: 2,
      mediaType: manifestType,
      config: describe(configBlob, 'application/vnd.oci.image.config.v1+json'),
      layers: layers.map((layer) => describe(layer, 'application/vnd.oci.image.layer.v1.tar')),
    }),
  );
  const target = `${server.url}/v2/${repository}/manifests/1`;
  await curl('', '-X', 'PUT', '-T', manifest, '-H', `content-type: ${manifestType}`, target);
  const before = memoryOf(server.child.pid);
  let peak = before;
  const watch = setInterval(() => {
    peak = Math.max(peak, memoryOf(server.child.pid));
  }, 50);
  let received = 0;
  const time = await timed(() =>
    Promise.all(
      Array.from({ length: count }, async () => {
        await curl('', '-H', `accept: ${manifestType}`, target);
        const sizes = await Promise.all([configBlob, ...layers].map((blob) => pull(server, repository, blob)));
        received += sizes.reduce((sum, size) => sum + Number(size), 0);
      }),
    ),
  );
  clearInterval(watch);
  const expected = count * [configBlob, ...layers].reduce((sum, { size }) => sum + size, 0);
  if (received !== expected) throw new Error(`${received} bytes arrived, not ${expected}`);
  const rate = received / 1000 / time;
  console.log(
    `${server.name}: ${count} pulls of ${megabytes} MB at once: ${(time / 1000).toFixed(1)} s, ${rate.toFixed(0)} MB/s; ` +
      `memory ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most (PSS)`,
  );
}

const servers = [];
try {
  servers.push(await start('berth', berth), await start('docker-registry', distribution));
  if (values.only !== 'pulls') await throughput(servers);
  if (values.only !== 'throughput') for (const server of servers) await pulls(server);
} finally {
  for (const { child } of servers) {
    child.kill();
    if (child.exitCode === null) await once(child, 'exit');
  }
  rmSync(work, { recursive: true, force: true });
}
