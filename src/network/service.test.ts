import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import koffi from 'koffi';
import { newId, silentLogger } from '#base';
import { createFirewall, createLinks, createNetworkNamespaces, createSockets } from '#host';
import { type Database, openDatabase } from '#metadata';
import { createNetworkService, type NetworkService, networkMigrations, type Sandbox, type SandboxRequest } from './index.ts';

// The whole file runs in a network namespace of its own that plays the host: nothing of the machine's is touched.
const CLONE_NEWNET = 0x40000000;
koffi.load('libc.so.6').func('int unshare(int flags)')(CLONE_NEWNET);

const namespaces = createNetworkNamespaces();
const links = createLinks(namespaces);
const firewall = createFirewall(namespaces);
const sockets = createSockets();
const root = mkdtempSync('/tmp/network-service-');
const hostFiles = { hosts: join(root, 'hosts'), resolvConf: join(root, 'resolv.conf') };
/** A namespace that plays another machine, behind a link of the host. */
const lan = join(root, 'lan');
let database: Database;
let service: NetworkService;

const makeService = (options: { poolSize?: number } = {}) =>
  createNetworkService({
    database,
    namespaces,
    links,
    firewall,
    sockets,
    hostFiles,
    execRoot: root,
    instance: 'network-test',
    bridge: 'nett0',
    poolSize: options.poolSize ?? 1,
    log: silentLogger,
  });

before(async () => {
  writeFileSync(hostFiles.hosts, '127.0.0.1 localhost\n');
  writeFileSync(hostFiles.resolvConf, 'nameserver 198.51.100.1\n');
  await links.apply([{ op: 'set', name: 'lo', up: true }]);
  await namespaces.create(lan);
  await links.apply([
    { op: 'add-veth', name: 'uplink', group: 0, peerName: 'wire', peerNetns: lan, peerMac: '02:00:00:00:00:99' },
    { op: 'add-address', name: 'uplink', address: '198.51.100.2/24' },
    { op: 'set', name: 'uplink', up: true },
  ]);
  await links.apply(
    [
      { op: 'set', name: 'lo', up: true },
      { op: 'add-address', name: 'wire', address: '198.51.100.1/24' },
      { op: 'set', name: 'wire', up: true },
    ],
    lan,
  );
  database = openDatabase(':memory:', networkMigrations);
  service = makeService();
  await service.reconcile(new Set());
});

after(async () => {
  await service.shutdown();
  await namespaces.remove(lan);
  rmSync(root, { recursive: true });
});

const request = (name: string, extra: Partial<SandboxRequest> = {}): SandboxRequest => {
  const id = newId();
  return {
    owner: { id, name, hostname: id.slice(0, 12) },
    endpoints: [{ network: 'bridge' }],
    ports: [],
    dns: { servers: [], search: [], options: [] },
    extraHosts: [],
    ...extra,
  };
};

async function withSandbox<T>(wanted: SandboxRequest, body: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const sandbox = await service.open(wanted);
  try {
    return await body(sandbox);
  } finally {
    await service.close(wanted.owner.id);
  }
}

/** Answers `hello` plus the client's address on `port` inside a namespace, for as long as `body` runs. */
async function serving<T>(netns: string | undefined, port: number, body: () => Promise<T>): Promise<T> {
  const bind = () => sockets.bind({ protocol: 'tcp', address: '0.0.0.0', port });
  const { fd } = netns === undefined ? bind() : namespaces.enter(netns, bind);
  const server = createServer((client) => client.end(`hello ${client.remoteAddress}`));
  server.listen({ fd });
  await once(server, 'listening');
  try {
    return await body();
  } finally {
    server.close();
  }
}

/** What a TCP server says to somebody inside a namespace; `refused` or `unreachable` where nobody answers. */
async function ask(netns: string | undefined, host: string, port: number): Promise<string> {
  if (netns === undefined) {
    const socket = connect({ host, port });
    return talk(socket.setTimeout(1500, () => socket.destroy(new Error('unreachable'))));
  }
  const script = `
    const socket = require('node:net').connect({ host: process.argv[1], port: Number(process.argv[2]) });
    socket.setTimeout(1500, () => socket.destroy(new Error('unreachable')));
    socket.on('error', (error) => console.log(error.message));
    socket.pipe(process.stdout);`;
  const child = namespaces.enter(netns, () =>
    spawn(process.execPath, ['-e', script, host, String(port)], { stdio: ['ignore', 'pipe', 'inherit'] }),
  );
  let said = '';
  child.stdout.on('data', (chunk) => {
    said += chunk;
  });
  await once(child, 'close');
  return said.trim();
}

async function talk(socket: ReturnType<typeof connect>): Promise<string> {
  let said = '';
  try {
    for await (const chunk of socket) said += chunk;
    return said;
  } catch (error) {
    return String(error);
  }
}

test('the predefined networks are there after the first start', async () => {
  const found = (await service.list()).map((network) => `${network.name} ${network.driver}`).sort();
  assert.deepEqual(found, ['bridge bridge', 'host host', 'none null']);
  const bridge = await service.get('bridge');
  assert.match(bridge.ipam.pools[0]?.gateway ?? '', /^172\.\d+\.0\.1$/);
});

test('two sandboxes on the default bridge reach each other, the host and the world behind it', async () => {
  await withSandbox(request('one'), async (one) => {
    await withSandbox(request('two'), async (two) => {
      const address = one.endpoints[0]?.ipv4?.address ?? '';
      const gateway = one.endpoints[0]?.ipv4?.gateway ?? '';
      assert.notEqual(address, two.endpoints[0]?.ipv4?.address);
      await serving(one.netnsPath, 80, async () => {
        assert.match(await ask(two.netnsPath, address, 80), /^hello/);
        assert.match(await ask(undefined, address, 80), /^hello/);
        assert.doesNotMatch(await ask(lan, address, 80), /hello/);
      });
      await serving(undefined, 7001, async () => {
        assert.match(await ask(one.netnsPath, gateway, 7001), /^hello/);
      });
      await serving(lan, 7002, async () => {
        assert.equal(await ask(one.netnsPath, '198.51.100.1', 7002), 'hello 198.51.100.2');
      });
    });
  });
});

test('a published port answers on the host, on loopback of both families, from outside and from its own container', async () => {
  const wanted = request('web', { ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 8080 }] });
  await withSandbox(wanted, async (web) => {
    assert.deepEqual(web.ports, [
      { protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPort: 8080 },
      { protocol: 'tcp', containerPort: 80, hostAddress: '::', hostPort: 8080 },
    ]);
    await serving(web.netnsPath, 80, async () => {
      assert.match(await ask(undefined, '127.0.0.1', 8080), /^hello/);
      assert.match(await ask(undefined, '::1', 8080), /^hello/);
      assert.match(await ask(undefined, '198.51.100.2', 8080), /^hello/);
      assert.equal(await ask(lan, '198.51.100.2', 8080), 'hello 198.51.100.1');
      assert.match(await ask(web.netnsPath, '198.51.100.2', 8080), /^hello/);
    });
    await assert.rejects(
      service.open(request('late', { ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 8080 }] })),
      /driver failed programming external connectivity on endpoint late .*Bind for 0\.0\.0\.0:8080 failed: port is already allocated \(by container web\)/,
    );
  });
  assert.match(await ask(undefined, '127.0.0.1', 8080), /ECONNREFUSED/);
});

test('a foreign chain that drops forwarded packets is told to let ours through, and forgets it afterwards', async () => {
  await firewall.load(
    'table ip filter {\n chain DOCKER-USER {\n }\n chain FORWARD {\n type filter hook forward priority filter; policy drop;\n jump DOCKER-USER\n }\n}',
  );
  const wanted = request('inner', { ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 8081 }] });
  await withSandbox(wanted, async (inner) => {
    await serving(inner.netnsPath, 80, async () => {
      await service.reconcile(new Set([wanted.owner.id]));
      assert.match(await ask(lan, '198.51.100.2', 8081), /hello/);
    });
  });
  assert.match((await firewall.table('ip', 'filter')) ?? '', /accept comment "berth_network_test"/);
  await service.shutdown();
  assert.doesNotMatch((await firewall.table('ip', 'filter')) ?? '', /berth/);
  await firewall.load('delete table ip filter');
  assert.deepEqual(await firewall.tables(), []);
  assert.deepEqual(
    (await links.list()).map((link) => link.name).filter((name) => !/^(lo|uplink|ifb\d)$/.test(name)),
    [],
  );
  service = makeService();
  await service.reconcile(new Set());
});

test('nothing is left after closing: links, namespaces, addresses', async () => {
  const left = (await links.list()).filter((link) => link.kind === 'veth' && link.name !== 'uplink').length;
  assert.ok(left <= 1, 'at most the pool');
  assert.ok(readdirSync(join(root, 'netns')).length <= 1);
  const rows = database.all<{ n: number }>("SELECT count(*) AS n FROM network_addresses WHERE owner != ''");
  assert.equal(rows[0]?.n, 0);
  assert.equal(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8').trim(), '1');
});
