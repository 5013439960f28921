// Measures what containers' networks of several engines carry, in turns, so that the machine's other work hits all alike:
//   node tools/network-bench.mjs NAME=DOCKER_HOST [NAME=DOCKER_HOST ...]      (as root; each engine has busybox:latest)
// BENCH_ROUNDS (5), BENCH_PORT_ROUNDS (1), BENCH_MIB (1024, bytes of one transfer), BENCH_PORTS (1000). Prints medians, and ratios to the last engine.
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';

const engines = process.argv.slice(2).map((text) => {
  const [name, host] = text.split(/=(.*)/s);
  return { name, host };
});
if (engines.length === 0) {
  console.error('usage: network-bench.mjs NAME=DOCKER_HOST ...');
  process.exit(2);
}
const rounds = Number(process.env.BENCH_ROUNDS ?? 5);
const portRounds = Number(process.env.BENCH_PORT_ROUNDS ?? 1);
const mebibytes = Number(process.env.BENCH_MIB ?? 1024);
const portCount = Number(process.env.BENCH_PORTS ?? 1000);
const firstPort = 21_000;
const machine = 'berth-bench';
const hostAddress = '198.51.100.10';

const run = (command) => execFileSync('sh', ['-ec', command], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const docker = ({ host }, ...args) => execFileSync('docker', ['-H', host, ...args], { encoding: 'utf8' }).trim();
const median = (values) => [...values].sort((a, b) => a - b)[values.length >> 1];
const netnsOf = (engine, container) => `/proc/${docker(engine, 'inspect', '-f', '{{.State.Pid}}', container)}/ns/net`;

/** Runs a script of this file's in a namespace; resolves with what it sends, and leaves it running if `keep`. */
async function inside(netns, script, args) {
  const child = spawn('nsenter', [`--net=${netns}`, process.execPath, '-e', script, ...args.map(String)], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const [said] = await once(child, 'message');
  return { child, said };
}

const sink = `
  const server = require('node:net').createServer((client) => {
    let left = Number(process.argv[2]) * 2 ** 20;
    client.on('error', () => {});
    client.on('data', (chunk) => { left -= chunk.length; if (left <= 0) client.end('x'); });
  });
  server.listen({ port: Number(process.argv[1]), host: '0.0.0.0', backlog: 1024 }, () => process.send('ready'));
  process.on('disconnect', () => process.exit());`;
/** Sends so many MiB, waits for the answer, tells MiB/s. */
const source = `
  const [host, port, mebibytes] = process.argv.slice(1);
  const chunk = Buffer.alloc(2 ** 20);
  const socket = require('node:net').connect({ host, port: Number(port) });
  let left = Number(mebibytes);
  const start = process.hrtime.bigint();
  const send = () => { while (left-- > 0) if (!socket.write(chunk)) return; };
  socket.on('connect', send).on('drain', send).on('data', () => {
    process.send(Number(mebibytes) / (Number(process.hrtime.bigint() - start) / 1e9), () => process.exit());
  });`;
/** Connects 400 times one after the other, tells the median in microseconds. */
const connects = `
  const [host, port] = process.argv.slice(1);
  const times = [];
  const once = () => {
    const start = process.hrtime.bigint();
    const socket = require('node:net').connect({ host, port: Number(port) }, () => {
      times.push(Number(process.hrtime.bigint() - start) / 1e3);
      socket.resetAndDestroy();
      if (times.length < 400) setImmediate(once);
      else process.send(times.sort((a, b) => a - b)[200], () => process.exit());
    });
  };
  once();`;

async function transfer(engine, { from, host, port, server }) {
  const { child } = await inside(netnsOf(engine, server), sink, [8000, mebibytes]);
  try {
    return (await inside(from, source, [host, port, mebibytes])).said;
  } finally {
    child.disconnect();
    await once(child, 'exit');
  }
}

const results = new Map();
const note = (what, engine, value) => {
  const row = results.get(what) ?? {};
  row[engine.name] ??= [];
  row[engine.name].push(value);
  results.set(what, row);
};

async function measureOnce(engine) {
  const address = docker(
    engine,
    'inspect',
    '-f',
    '{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}',
    'nb-server',
  );
  const [server, lan] = ['nb-server', `/run/netns/${machine}`];
  const client = netnsOf(engine, 'nb-client');
  note(
    'container to container, MiB/s',
    engine,
    await transfer(engine, { from: client, host: address, port: 8000, server }),
  );
  const published = Number(docker(engine, 'port', 'nb-server', '8000').match(/:(\d+)$/m)[1]);
  const outside = { from: lan, host: hostAddress, port: published, server };
  note('through a published port from another machine, MiB/s', engine, await transfer(engine, outside));
}

/** The time to connect to one published port alone, and to the first and last of many. */
async function measurePorts(engine) {
  const lan = `/run/netns/${machine}`;
  for (const count of [1, portCount]) {
    const last = firstPort + count - 1;
    const started = performance.now();
    docker(
      engine,
      'run',
      '-d',
      '--name',
      'nb-ports',
      '-p',
      `${firstPort}-${last}:${firstPort}-${last}`,
      'busybox',
      'sleep',
      '600',
    );
    note(`run -d with ${count} published port(s), ms`, engine, performance.now() - started);
    for (const port of new Set([firstPort, last])) {
      const { child } = await inside(netnsOf(engine, 'nb-ports'), sink, [port, 1]);
      const { said } = await inside(lan, connects, [hostAddress, port]);
      note(`connect to port ${port - firstPort + 1} of ${count}, us`, engine, said);
      child.disconnect();
      await once(child, 'exit');
    }
    const removing = performance.now();
    docker(engine, 'rm', '-f', 'nb-ports');
    note(`rm -f with ${count} published port(s), ms`, engine, performance.now() - removing);
  }
}

run(`ip netns add ${machine}
  ip link add ${machine} type veth peer name wire netns ${machine}
  ip address add ${hostAddress}/24 dev ${machine}
  ip link set ${machine} up
  ip -n ${machine} link set lo up
  ip -n ${machine} address add 198.51.100.11/24 dev wire
  ip -n ${machine} link set wire up`);
try {
  for (const engine of engines) {
    docker(engine, 'network', 'create', 'nb-net');
    docker(engine, 'run', '-d', '--name', 'nb-server', '--network', 'nb-net', '-p', '8000', 'busybox', 'sleep', '3600');
    docker(engine, 'run', '-d', '--name', 'nb-client', '--network', 'nb-net', 'busybox', 'sleep', '3600');
  }
  for (let round = 0; round < rounds; round++) {
    for (const engine of round % 2 === 0 ? engines : [...engines].reverse()) await measureOnce(engine);
  }
  for (let round = 0; round < portRounds; round++) for (const engine of engines) await measurePorts(engine);
} finally {
  for (const engine of engines) {
    try {
      docker(engine, 'rm', '-f', 'nb-server', 'nb-client');
      docker(engine, 'network', 'rm', 'nb-net');
    } catch (error) {
      console.error(String(error));
    }
  }
  run(`ip link delete ${machine}; ip netns delete ${machine}`);
}

const names = engines.map(({ name }) => name);
console.log(`| what | ${names.join(' | ')} | ratio |\n| --- |${' --- |'.repeat(names.length + 1)}`);
for (const [what, row] of results) {
  const values = names.map((name) => median(row[name]));
  console.log(
    `| ${what} | ${values.map((value) => value.toFixed(0)).join(' | ')} | ${(values[0] / values.at(-1)).toFixed(2)} |`,
  );
}
