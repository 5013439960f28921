import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isBerthError, newId } from '#base';
import type { NetworkRequest, NetworkService, Sandbox, SandboxRequest } from './index.ts';
import { playHost, sandboxRequest } from './testing/played-host.ts';

const played = playHost('network_test');
const { namespaces, links, firewall, sockets, database, root, lan, ask, serving, run } = played;
let service: NetworkService;

const makeService = () => played.service({ poolSize: 1 });

before(async () => {
  await played.up();
  service = makeService();
  await service.reconcile(new Set());
});

after(async () => {
  await service.shutdown();
  await played.down();
});

const request = (name: string, extra: Partial<SandboxRequest> = {}): SandboxRequest => {
  const id = newId();
  return sandboxRequest({ id, name, hostname: id.slice(0, 12) }, extra);
};

async function withSandbox<T>(wanted: SandboxRequest, body: (sandbox: Sandbox) => Promise<T>): Promise<T> {
  const sandbox = await service.open(wanted);
  try {
    return await body(sandbox);
  } finally {
    await service.close(wanted.owner.id);
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

/** What a resolver inside a namespace gets from 127.0.0.11: the sorted answers, or the error's code. */
async function resolve(netns: string, name: string, type = 'A'): Promise<string> {
  const script = `
    const resolver = new (require('node:dns').Resolver)({ timeout: 1500, tries: 1 });
    resolver.setServers(['127.0.0.11']);
    resolver.resolve(process.argv[1], process.argv[2], (error, found) =>
      console.log(error ? error.code : found.sort().join(' ')));`;
  return run(netns, [process.execPath, '-e', script, name, type]);
}

const on = (network: string, ...aliases: string[]) => ({ endpoints: [{ network, aliases }] });

test('names of a user-defined network resolve inside it, and nowhere else', async () => {
  const network = await service.create({ name: 'shop' });
  await service.create({ name: 'other' });
  assert.match(network.ipam.pools[0]?.subnet ?? '', /^172\.\d+\.\d+\.0\/23$/);
  const { fd } = namespaces.enter(lan, () => sockets.bind({ protocol: 'udp', address: '198.51.100.1', port: 53 }));
  const upstream = createSocket('udp4').on('message', (message, from) => {
    message.writeUInt16BE(0x8183, 2);
    upstream.send(message, from.port, from.address);
  });
  upstream.bind({ fd });
  await withSandbox(request('db', on('shop', 'store')), async (db) => {
    await withSandbox(request('db2', on('shop', 'store')), async (db2) => {
      const [one = '', two = ''] = [db, db2].map((sandbox) => sandbox.endpoints[0]?.ipv4?.address ?? '');
      assert.equal(await resolve(db2.netnsPath, 'db'), one);
      assert.equal(await resolve(db2.netnsPath, 'DB.shop'), one);
      assert.equal(await resolve(db2.netnsPath, 'store'), [one, two].sort().join(' '));
      assert.equal(await resolve(db2.netnsPath, 'db', 'AAAA'), 'ENODATA');
      assert.equal(
        await resolve(db2.netnsPath, one.split('.').reverse().concat('in-addr.arpa').join('.'), 'PTR'),
        'db.shop',
      );
      await withSandbox(request('spy', on('other')), async (spy) => {
        assert.equal(await resolve(spy.netnsPath, 'db'), 'ENOTFOUND');
        await serving(db.netnsPath, 5432, async () => {
          assert.match(await ask(db2.netnsPath, one, 5432), /^hello/);
          assert.doesNotMatch(await ask(spy.netnsPath, one, 5432), /hello/);
        });
      });
      assert.match(db.resolvConf, /^nameserver 127\.0\.0\.11$/m);
      await assert.rejects(
        service.remove('shop'),
        /network shop has active endpoints \(name:"db" id:"[0-9a-f]{12}", name:"db2"/,
      );
    });
  });
  upstream.close();
  await service.remove('shop');
  await service.remove('other');
});

test('a running sandbox changes networks, and its names, routes and ports follow', async () => {
  await service.create({ name: 'alpha' });
  const wanted = request('mover', { ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 8082 }] });
  const changed: string[] = [];
  service.onChange((ownerId) => changed.push(ownerId));
  await withSandbox(wanted, async (mover) => {
    await serving(mover.netnsPath, 80, async () => {
      const both = await service.connect(wanted.owner.id, { network: 'alpha', aliases: ['m'] });
      assert.deepEqual(
        both.endpoints.map((endpoint) => endpoint.interfaceName),
        ['eth0', 'eth1'],
      );
      assert.equal(await resolve(both.netnsPath, 'm'), both.endpoints[1]?.ipv4?.address);
      assert.equal(both.hostsFile.match(/^172.*$/gm)?.length, 2);
      assert.match(await ask(lan, '198.51.100.2', 8082), /^hello/);
      await assert.rejects(service.connect(wanted.owner.id, { network: 'alpha' }), /already exists in network alpha/);
      const moved = await service.disconnect(wanted.owner.id, 'bridge');
      assert.match(await ask(lan, '198.51.100.2', 8082), /^hello/);
      assert.match(await ask(undefined, '::1', 8082), /^hello/);
      await service.rename(wanted.owner.id, 'renamed');
      assert.equal(await resolve(moved.netnsPath, 'renamed'), moved.endpoints[0]?.ipv4?.address);
    });
  });
  assert.deepEqual([...new Set(changed)], [wanted.owner.id]);
  await service.remove('alpha');
});

test('an internal network reaches nothing outside; a dual-stack one speaks IPv6', async () => {
  await service.create({ name: 'shut', internal: true });
  await service.create({ name: 'dual', enableIPv6: true });
  await serving(lan, 7003, async () => {
    await withSandbox(request('inside', on('shut')), async (inside) => {
      assert.equal(inside.endpoints[0]?.ipv4?.gateway, undefined);
      assert.match(await ask(inside.netnsPath, '198.51.100.1', 7003), /ENETUNREACH/);
    });
  });
  await withSandbox(request('six', on('dual')), async (six) => {
    const address = six.endpoints[0]?.ipv6?.address ?? '';
    assert.match(address, /^fd[0-9a-f:]+::2$/);
    const { fd } = namespaces.enter(six.netnsPath, () => sockets.bind({ protocol: 'tcp', address: '::', port: 80 }));
    const server = createServer((client) => client.end('hello')).listen({ fd });
    await once(server, 'listening');
    assert.equal(await ask(undefined, address, 80), 'hello');
    server.close();
  });
  await service.remove('shut');
  await service.remove('dual');
});

test('wrong requests are refused in words that clients know, and leave nothing', async () => {
  const subnet = (text: string) => ({ pools: [{ subnet: text }] });
  await service.create({ name: 'fixed', ipam: subnet('10.99.0.0/24') });
  const refused: [() => Promise<unknown>, RegExp][] = [
    [() => service.create({ name: 'fixed' }), /^network with name fixed already exists$/],
    [() => service.create({ name: 'bridge' }), /^operation is not permitted on predefined bridge network$/],
    [
      () => service.create({ name: 'x', ipam: subnet('10.99.0.128/25') }),
      /Pool overlaps with other one on this address space/,
    ],
    [
      () => service.create({ name: 'x', ipam: subnet('10.98.0.5/24') }),
      /invalid subnet 10\.98\.0\.5\/24: it should be 10\.98\.0\.0\/24/,
    ],
    [() => service.create({ name: 'x', driver: 'foo' }), /^plugin "foo" not found$/],
    [() => service.create({ name: 'x', driver: 'host' }), /^only one instance of "host" network is allowed$/],
    [() => service.remove('nope'), /^network nope not found$/],
    [() => service.remove('bridge'), /^bridge is a pre-defined network and cannot be removed$/],
    [() => service.open(request('a', on('nope'))), /^network nope not found$/],
    [
      () => service.open(request('a', { endpoints: [{ network: 'bridge', ipv4: '172.17.0.9' }] })),
      /user specified IP address is supported on user defined networks only/,
    ],
    [
      () => service.open(request('a', { endpoints: [{ network: 'fixed', ipv4: '10.98.0.7' }] })),
      /no configured subnet or ip-range contain the IP address 10\.98\.0\.7/,
    ],
    [
      () => service.open(request('a', { endpoints: [{ network: 'fixed', ipv4: '10.99.0.1' }] })),
      /Address already in use$/,
    ],
  ];
  for (const [attempt, text] of refused) await assert.rejects(attempt, (error: Error) => text.test(error.message));
  await service.remove('fixed');
});

test('after a kill the next daemon takes over what lives and removes the rest', async () => {
  await service.create({ name: 'lasting' });
  const living = request('living', {
    ...on('lasting'),
    ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 8083 }],
  });
  const dead = request('dead');
  const sandbox = await service.open(living);
  await service.open(dead);
  // A second service on the same state is what a restart looks like; the first one's sockets are closed by the kernel
  // in a real kill, here by its shutdown.
  await links.apply([
    {
      op: 'add-veth',
      name: 'stray',
      group: (await links.list()).find((link) => link.name === 'played0')?.group ?? 0,
      peerName: 'eth9',
      peerNetns: sandbox.netnsPath,
      peerMac: '02:00:00:00:00:01',
    },
  ]);
  await service.shutdown();
  await firewall.load('flush ruleset');
  service = makeService();
  await service.reconcile(new Set([living.owner.id]));
  assert.equal(await service.find(dead.owner.id), undefined);
  assert.ok(!(await links.list()).some((link) => link.name === 'stray'));
  assert.equal(await resolve(sandbox.netnsPath, 'living'), sandbox.endpoints[0]?.ipv4?.address);
  await serving(sandbox.netnsPath, 80, async () => assert.match(await ask(lan, '198.51.100.2', 8083), /^hello/));
  await assert.rejects(
    service.open(request('late', { ports: living.ports })),
    /port is already allocated \(by container living\)/,
  );
  await service.close(living.owner.id);
  await service.remove('lasting');
});

/** Runs a test, or skips it where the kernel lacks a kind of link. */
const needingKernel = (name: string, body: () => Promise<void>) =>
  test(name, async (context) => {
    try {
      await body();
    } catch (error) {
      if (!isBerthError(error, 'unavailable') || error.details.errno !== 'ENOTSUP') throw error;
      context.skip(error.message);
    }
  });

async function withNetwork(wanted: NetworkRequest, body: () => Promise<void>): Promise<void> {
  await service.create(wanted);
  try {
    await body();
  } finally {
    await service.remove(wanted.name);
  }
}

for (const driver of ['macvlan', 'ipvlan']) {
  needingKernel(`${driver} puts sandboxes on the network of a parent interface`, async () => {
    const pools = [{ subnet: '198.51.100.0/24', range: '198.51.100.64/26', gateway: '198.51.100.1' }];
    await withNetwork({ name: 'wide', driver, ipam: { pools }, options: { parent: 'uplink' } }, async () => {
      await assert.rejects(
        service.create({ name: 'twice', driver, options: { parent: 'uplink' } }),
        /network wide is already using parent interface uplink/,
      );
      await withSandbox(request('one', on('wide')), async (one) => {
        await withSandbox(request('two', on('wide')), async (two) => {
          const address = one.endpoints[0]?.ipv4?.address ?? '';
          assert.match(address, /^198\.51\.100\.6\d$/);
          assert.equal(one.endpoints[0]?.mac === '', driver === 'ipvlan');
          await serving(one.netnsPath, 80, async () => {
            assert.equal(await ask(two.netnsPath, address, 80), `hello ${two.endpoints[0]?.ipv4?.address}`);
            assert.equal(await ask(lan, address, 80), 'hello 198.51.100.1');
          });
          await serving(lan, 7005, async () => {
            assert.equal(await ask(one.netnsPath, '198.51.100.1', 7005), `hello ${address}`);
          });
          assert.equal(await resolve(two.netnsPath, 'one'), address);
        });
      });
    });
  });
}

needingKernel('ipvlan in l3 mode routes by its device', async () => {
  const options = { parent: 'uplink', ipvlan_mode: 'l3' };
  await withNetwork({ name: 'routed', driver: 'ipvlan', options }, async () => {
    await withSandbox(request('one', on('routed')), async (one) => {
      const routes = await links.routes(one.netnsPath);
      const index = (await links.list(one.netnsPath)).find((link) => link.name === 'eth0')?.index;
      assert.ok(routes.some((route) => route.destination === '0.0.0.0/0' && route.device === index));
      assert.equal(one.endpoints[0]?.ipv4?.gateway, undefined);
    });
  });
});

needingKernel('a VLAN named as parent is made for the network and removed with it', async () => {
  const has = async () => (await links.list()).some((link) => link.name === 'uplink.77' && link.kind === 'vlan');
  await withNetwork({ name: 'tagged', driver: 'macvlan', options: { parent: 'uplink.77' } }, async () => {
    assert.ok(await has());
  });
  assert.ok(!(await has()));
});

test('a macvlan network is refused without its parent, or with a mode that is none', async () => {
  const refused: [Record<string, string>, RegExp][] = [
    [{ parent: 'nosuch0' }, /parent interface nosuch0 was not found/],
    [{ macvlan_mode: 'nosuch' }, /requested macvlan_mode 'nosuch' is not valid/],
  ];
  for (const [options, text] of refused) {
    await assert.rejects(service.create({ name: 'bad', driver: 'macvlan', options }), text);
  }
});

test('rules that somebody flushed are back at once, and a firewall that comes later is told', async () => {
  const heard = (wanted: RegExp, removed: boolean) =>
    new Promise<void>((resolve) => {
      const watch = firewall.watch((change) => {
        if (!wanted.test(change.table) || change.removed !== removed) return;
        watch[Symbol.dispose]();
        resolve();
      });
    });
  const wanted = request('steady', { ports: [{ protocol: 'tcp', containerPort: 80, hostPort: 8084 }] });
  await withSandbox(wanted, async (steady) => {
    await serving(steady.netnsPath, 80, async () => {
      for (const flush of ['flush ruleset', 'flush table inet berth_network_test']) {
        const back = heard(/^inet berth_network_test$/, false);
        await firewall.load(flush);
        await back;
        assert.match(await ask(lan, '198.51.100.2', 8084), /^hello/);
      }
      await firewall.load('table ip late {\n chain FORWARD {\n }\n}');
      const told = new Promise<void>((resolve) => {
        const watch = firewall.watch(async () => {
          if (!(await firewall.table('ip', 'late'))?.includes('accept comment')) return;
          watch[Symbol.dispose]();
          resolve();
        });
      });
      await firewall.load(
        'delete chain ip late FORWARD\nadd chain ip late FORWARD { type filter hook forward priority filter; policy drop; }',
      );
      await told;
      assert.match(await ask(lan, '198.51.100.2', 8084), /^hello/);
      await firewall.load('delete table ip late');
    });
  });
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
