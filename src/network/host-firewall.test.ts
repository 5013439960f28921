import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { newId } from '#base';
import type { NetworkService, PortRequest, Sandbox } from './index.ts';
import { places, playHost, sandboxRequest } from './testing/played-host.ts';

const played = playHost('firewall_test');
const { namespaces, links, firewall, sockets, lan, ask, serving, run } = played;
const { host } = places;
let service: NetworkService;
let web: Sandbox;
const ports = [18_080, 18_081].map((hostPort) => ({ protocol: 'tcp', containerPort: 80, hostPort }) as const);
const owners = { web: newId(), open: newId() };

const makeService = (forwardDrop: 'admit' | 'leave') => played.service({ forwardDrop, firewallMode: 'host' });

const request = (name: 'web' | 'open', network: string, requested: readonly PortRequest[]) =>
  sandboxRequest({ id: owners[name], name, hostname: name }, { endpoints: [{ network }], ports: requested });

before(async () => {
  // As many distributions have it: the strict source check, for all links.
  writeFileSync('/proc/sys/net/ipv4/conf/all/rp_filter', '1');
  await played.up();
  await links.apply([{ op: 'add-address', name: 'wire', address: '198.51.100.3/24' }], lan);
  service = makeService('admit');
  await service.reconcile(new Set());
  await service.create({ name: 'dual', enableIPv6: true });
  web = await service.open(
    request('web', 'dual', [...ports, { protocol: 'udp', containerPort: 80, hostPort: 18_080 }]),
  );
});

after(async () => {
  for (const owner of Object.values(owners)) await service.close(owner);
  await service.shutdown();
  await played.down();
  assert.deepEqual(await firewall.tables(), []);
});

/** Runs `body` with input rules of the host's, in any table but ours. */
async function withInput(rules: readonly string[], body: () => Promise<void>, policy = 'drop'): Promise<void> {
  const chain = ` chain input {\n type filter hook input priority filter; policy ${policy};\n ${rules.join('\n ')}\n }`;
  // Without these nobody finds anybody's hardware address, whatever else is allowed.
  const neighbours = 'icmpv6 type { nd-neighbor-solicit, nd-neighbor-advert } accept';
  await firewall.load(`table inet host {\n${chain.replace(';\n ', `;\n ${neighbours}\n `)}\n}`);
  try {
    await body();
  } finally {
    await firewall.load('delete table inet host');
  }
}

const established = 'ct state established,related accept';
const yes = /^hello/;
const silent = /unreachable/;

/** The host's input rules, who asks where, and what comes of it. */
const cases: readonly {
  readonly name: string;
  readonly rules: readonly string[];
  readonly policy?: 'accept';
  readonly asks: readonly (readonly [from: 'lan' | 'host', address: string, port: number, answer: RegExp])[];
}[] = [
  {
    name: 'no rules at all',
    rules: [],
    policy: 'accept',
    asks: [
      ['lan', host.ipv4, 18_080, /^hello 198\.51\.100\.1$/],
      ['lan', host.ipv6, 18_080, /^hello 2001:db8:51::1$/],
    ],
  },
  {
    name: 'policy drop',
    rules: [],
    asks: [
      ['lan', host.ipv4, 18_080, silent],
      ['lan', host.ipv6, 18_080, silent],
    ],
  },
  {
    name: 'policy drop, but answers to known connections',
    rules: [established],
    asks: [['lan', host.ipv4, 18_080, silent]],
  },
  {
    name: 'one port accepted',
    rules: [established, 'tcp dport 18080 accept'],
    asks: [
      ['lan', host.ipv4, 18_080, yes],
      ['lan', host.ipv6, 18_080, yes],
      ['lan', host.ipv4, 18_081, silent],
    ],
  },
  {
    name: "the container's port accepted, which is not what the host answers on",
    rules: ['tcp dport 80 accept'],
    asks: [['lan', host.ipv4, 18_080, silent]],
  },
  {
    name: 'the right source accepted',
    rules: ['ip saddr 198.51.100.1 accept'],
    asks: [['lan', host.ipv4, 18_080, yes]],
  },
  {
    name: 'another source accepted',
    rules: ['ip saddr 198.51.100.3 accept'],
    asks: [['lan', host.ipv4, 18_080, silent]],
  },
  { name: 'the link accepted', rules: ['iifname "uplink" accept'], asks: [['lan', host.ipv4, 18_080, yes]] },
  { name: 'another link accepted', rules: ['iifname "wan0" accept'], asks: [['lan', host.ipv4, 18_080, silent]] },
  {
    name: 'one port rejected',
    rules: ['tcp dport 18080 reject with tcp reset'],
    policy: 'accept',
    asks: [
      ['lan', host.ipv4, 18_080, /ECONNREFUSED/],
      ['lan', host.ipv4, 18_081, yes],
    ],
  },
  {
    name: 'answers to known connections only, seen from the host itself',
    rules: [established],
    asks: [
      ['host', '127.0.0.1', 18_080, yes],
      ['host', host.ipv4, 18_080, yes],
    ],
  },
];

describe('published ports of a network that asks the host', () => {
  for (const { name, rules, policy, asks } of cases) {
    test(name, async () => {
      const askAll = async () => {
        for (const [from, address, port, answer] of asks) {
          assert.match(await ask(from === 'lan' ? lan : undefined, address, port), answer, `${address} ${port}`);
        }
      };
      const askBoth = () => serving(web.netnsPath, 80, () => withInput(rules, askAll, policy), '::');
      await serving(web.netnsPath, 80, askBoth);
    });
  }

  test('rules made with iptables', async () => {
    const iptables = (...args: string[]) => run('/proc/self/ns/net', ['iptables-nft', ...args]);
    await serving(web.netnsPath, 80, async () => {
      await iptables('-P', 'INPUT', 'DROP');
      assert.match(await ask(lan, host.ipv4, 18_080), silent);
      await iptables('-A', 'INPUT', '-p', 'tcp', '-m', 'multiport', '--dports', '22,18080', '-j', 'ACCEPT');
      assert.match(await ask(lan, host.ipv4, 18_080), yes);
      assert.match(await ask(lan, host.ipv4, 18_081), silent);
    });
    await firewall.load('delete table ip filter');
  });

  test('UDP', async () => {
    const { fd } = namespaces.enter(web.netnsPath, () =>
      sockets.bind({ protocol: 'udp', address: '0.0.0.0', port: 80 }),
    );
    const server = createSocket('udp4').on('message', (_, from) => server.send(from.address, from.port, from.address));
    server.bind({ fd });
    const script = `
      const socket = require('node:dgram').createSocket('udp4');
      setTimeout(() => { console.log('unreachable'); process.exit(); }, 1000);
      socket.on('message', (said) => { console.log(String(said)); process.exit(); });
      socket.send('?', 18080, '${host.ipv4}');`;
    const udp = () => run(lan, [process.execPath, '-e', script]);
    await withInput(['tcp dport 18080 accept'], async () => assert.equal(await udp(), 'unreachable'));
    await withInput(['udp dport 18080 accept'], async () => assert.equal(await udp(), '198.51.100.1'));
    server.close();
    await once(server, 'close');
  });

  test('a network that says "open" is not asked about', async () => {
    await service.create({ name: 'wide', options: { 'berth.firewall': 'open' } });
    const port = { protocol: 'tcp', containerPort: 80, hostPort: 18_082 } as const;
    const open = await service.open(request('open', 'wide', [port]));
    await serving(open.netnsPath, 80, () =>
      withInput([], async () => assert.match(await ask(lan, host.ipv4, 18_082), yes)),
    );
    await service.close(owners.open);
    await service.remove('wide');
    const bad = service.create({ name: 'bad', options: { 'berth.firewall': 'perhaps' } });
    await assert.rejects(bad, /invalid berth\.firewall perhaps: host or open/);
  });

  test('rules that were flushed ask again, and so does the next daemon', async () => {
    await service.shutdown();
    await firewall.load('flush ruleset');
    service = makeService('admit');
    await service.reconcile(new Set([owners.web]));
    await serving(web.netnsPath, 80, () =>
      withInput(['tcp dport 18080 accept'], async () => {
        assert.match(await ask(lan, host.ipv4, 18_080), yes);
        assert.match(await ask(lan, host.ipv4, 18_081), silent);
      }),
    );
  });
});

describe('a foreign chain that drops forwarded packets', () => {
  const chain = 'table ip filter {\n chain FORWARD {\n type filter hook forward priority filter; policy drop;\n }\n}';
  const foreign = async () => (await firewall.table('ip', 'filter')) ?? '';

  test('a rule that a killed daemon left there is removed by one that is to leave it alone', async () => {
    await firewall.load(chain);
    await service.reconcile(new Set([owners.web]));
    assert.match(await foreign(), /berth_firewall_test/);
    // As a kill does, but for the sockets, which the kernel would close: the container lives, so the rule stays.
    await service.shutdown();
    assert.match(await foreign(), /berth_firewall_test/);
    service = makeService('leave');
    await service.reconcile(new Set([owners.web]));
    assert.doesNotMatch(await foreign(), /berth/);
    await firewall.load('delete table ip filter');
  });

  test('after a kill and a restart the rule is there once, and goes when the daemon stops with nothing running', async () => {
    await service.shutdown();
    await firewall.load(chain);
    for (let start = 0; start < 2; start++) {
      service = makeService('admit');
      await service.reconcile(new Set([owners.web]));
      assert.equal((await foreign()).match(/berth_firewall_test/g)?.length, 1);
      await service.shutdown();
    }
    service = makeService('admit');
    await service.reconcile(new Set());
    await service.remove('dual');
    await service.shutdown();
    assert.doesNotMatch(await foreign(), /berth/);
    await firewall.load('delete table ip filter');
    assert.deepEqual(
      (await links.list()).map((link) => link.name).filter((name) => !/^(lo|uplink|ifb\d)$/.test(name)),
      [],
    );
    assert.match(readFileSync('/proc/sys/net/ipv4/ip_forward', 'utf8'), /1/);
  });
});
