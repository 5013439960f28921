#!/usr/bin/env node
// Swaps a service of a Compose project again and again while several processes send requests through its published port
// at a fixed rate, each on a new connection, whether or not earlier ones were answered. Prints what rate was sustained.
// usage: bench-swaps.mjs --host DOCKER_HOST [--swaps 10] [--rate 500] [--clients 2] [--bad]
// --bad also tries an image that never gets healthy, which has to be rolled back. The engine must be Berth and have the
// image busybox. Whatever it makes, it removes. Exits 1 when a request failed.
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { freePort } from './ports.mjs';

const { values } = parseArgs({
  options: {
    host: { type: 'string', default: process.env.DOCKER_HOST ?? 'unix:///run/berth/berth.sock' },
    swaps: { type: 'string', default: '10' },
    rate: { type: 'string', default: '500' },
    clients: { type: 'string', default: '2' },
    bad: { type: 'boolean', default: false },
    client: { type: 'string' },
  },
});
/** What the service runs: it ends as one should, when the last answer is out. */
const server = `
import { createServer } from 'node:http';
const server = createServer((request, response) => response.end(process.env.RELEASE)).listen(8080);
process.on('SIGTERM', () => server.close(() => process.exit(0)));
`;
const berth = fileURLToPath(new URL('../bin/berth', import.meta.url));

if (values.client === undefined) process.exitCode = await measure();
else sendRequests(Number(values.client), Number(values.rate));

/** A client: sends requests as they become due until its parent disconnects, then tells how they went. */
function sendRequests(port, perSecond) {
  const told = { sent: 0, answers: {}, failures: {}, delays: [], seconds: {}, elapsed: 0 };
  const began = performance.now();
  const count = (record, key) => {
    record[key] = (record[key] ?? 0) + 1;
  };
  let open = 0;
  let ending = false;
  const endWhenDone = () => {
    if (!ending || open > 0) return;
    process.send(told, () => process.disconnect());
  };
  const send = (due) => {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: false });
    let text = '';
    let failure;
    open++;
    socket.setTimeout(20_000, () => socket.destroy(new Error('no answer in 20 s')));
    socket.setEncoding('utf8').on('data', (part) => {
      text += part;
    });
    socket.on('error', (error) => {
      failure = error;
    });
    socket.on('close', () => {
      open--;
      const [, status, body] = /^HTTP\/1\.1 (\d+) .*?\r\n\r\n(.*)$/s.exec(text) ?? [];
      if (failure !== undefined || status !== '200') {
        count(told.failures, failure ? String(failure) : `answer ${JSON.stringify(text.slice(0, 60))}`);
      } else {
        const now = performance.now();
        count(told.answers, body);
        count(told.seconds, Math.floor((now - began) / 1000));
        told.delays.push(now - due);
      }
      endWhenDone();
    });
    socket.write('GET / HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n');
    told.sent++;
  };
  const timer = setInterval(() => {
    while (began + (told.sent * 1000) / perSecond <= performance.now()) send(began + (told.sent * 1000) / perSecond);
  }, 4);
  process.once('message', () => {
    clearInterval(timer);
    told.elapsed = (performance.now() - began) / 1000;
    ending = true;
    endWhenDone();
  });
}

/** A Compose file with one service that runs this Node; what `bad` makes is never healthy. */
function composeFile(port, release, bad = false) {
  const probe = bad ? 'exit 1' : 'wget -qO- http://127.0.0.1:8080/';
  return `
services:
  web:
    image: busybox
    command: [/node/${basename(process.execPath)}, /server.mjs]
    environment: { RELEASE: "${release}" }
    ports: ["127.0.0.1:${port}:8080"]
    volumes: ["${dirname(process.execPath)}:/node:ro", "/usr/lib:/lib:ro", "/usr/lib64:/lib64:ro", "./server.mjs:/server.mjs:ro"]
    healthcheck: { test: "${probe}", interval: 200ms, timeout: 5s, retries: ${bad ? 2 : 50}, start_period: ${bad ? '0s' : '20s'}, start_interval: 200ms }
    x-update: { order: start-first, drain: 2s, timeout: 60s }
`;
}

async function measure() {
  const directory = mkdtempSync(join(tmpdir(), 'bench-swaps-'));
  const compose = async (...args) => {
    const env = { ...process.env, DOCKER_HOST: values.host };
    const child = spawn(berth, ['compose', ...args], { cwd: directory, env, stdio: ['ignore', 'ignore', 'pipe'] });
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (part) => {
      said += part;
    });
    const [code] = await once(child, 'close');
    return { code, said };
  };
  const up = async (port, release) => {
    writeFileSync(join(directory, 'compose.yaml'), composeFile(port, release));
    const { code, said } = await compose('up', '-d', '--wait');
    if (code !== 0) throw new Error(`compose up: ${said}`);
  };
  try {
    const port = await freePort();
    writeFileSync(join(directory, 'server.mjs'), server);
    await up(port, 'release 0');
    const clients = startClients(port);
    const began = performance.now();
    for (let swap = 1; swap <= Number(values.swaps); swap++) await up(port, `release ${swap}`);
    const rolledBack = values.bad ? await tryBad(directory, port, compose) : true;
    const seconds = (performance.now() - began) / 1000;
    return report(await Promise.all(clients.map(endClient)), seconds) && rolledBack ? 0 : 1;
  } finally {
    await compose('down', '-t', '0');
    rmSync(directory, { recursive: true, force: true });
  }
}

async function tryBad(directory, port, compose) {
  writeFileSync(join(directory, 'compose.yaml'), composeFile(port, 'bad', true));
  const { code, said } = await compose('up', '-d', '--wait');
  const rolledBack = code === 1 && said.includes('rolled back');
  console.log(`a bad release: ${rolledBack ? 'rolled back' : `NOT rolled back (exit code ${code}): ${said}`}`);
  return rolledBack;
}

function startClients(port) {
  const clients = Number(values.clients);
  const share = String(Number(values.rate) / clients);
  const args = ['--client', String(port), '--rate', share];
  return Array.from({ length: clients }, () => fork(fileURLToPath(import.meta.url), args));
}

async function endClient(client) {
  const told = once(client, 'message');
  client.send('end');
  const [[result]] = await Promise.all([told, once(client, 'exit')]);
  return result;
}

/** Prints the figures; true when no request failed. */
function report(results, seconds) {
  const sum = (key) => {
    const total = {};
    for (const result of results) {
      for (const [name, count] of Object.entries(result[key])) total[name] = (total[name] ?? 0) + count;
    }
    return total;
  };
  const all = (record) => Object.values(record).reduce((total, count) => total + count, 0);
  const delays = results.flatMap(({ delays }) => delays).sort((a, b) => a - b);
  const at = (part) => (delays[Math.min(delays.length - 1, Math.floor(delays.length * part))] ?? 0).toFixed(1);
  const answers = sum('answers');
  const failures = sum('failures');
  const sustained = results.reduce((total, { answers, elapsed }) => total + all(answers) / elapsed, 0);
  // The first and the last second are not whole.
  const whole = Object.values(sum('seconds')).slice(1, -1);
  console.log(
    `${values.swaps} swaps in ${seconds.toFixed(1)} s, ${values.clients} clients, a connection for each request`,
  );
  console.log(
    `asked for ${values.rate}/s, sustained ${sustained.toFixed(1)}/s (least in one second ${Math.min(...whole)})`,
  );
  console.log(`answered ${all(answers)}, failed ${all(failures)}, releases seen ${Object.keys(answers).length}`);
  console.log(`ms from when it was due to the answer: median ${at(0.5)}, p99 ${at(0.99)}, largest ${at(1)}`);
  for (const [failure, count] of Object.entries(failures)) console.log(`${count} times ${failure}`);
  return all(failures) === 0;
}
