import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { isBerthError } from '#base';
import { createLinks } from './links.ts';
import { createNetworkNamespaces } from './network-namespaces.ts';
import { createFirewall } from './nftables.ts';
import { createSockets } from './sockets.ts';

const namespaces = createNetworkNamespaces();
const links = createLinks(namespaces);
const firewall = createFirewall(namespaces);
const sockets = createSockets();
let directory = '';
let first = '';
let second = '';

before(async () => {
  directory = mkdtempSync('/tmp/network-host-');
  first = join(directory, 'first');
  second = join(directory, 'second');
  await namespaces.create(first);
  await namespaces.create(second);
});

after(async () => {
  await namespaces.remove(first);
  await namespaces.remove(second);
  rmSync(directory, { recursive: true });
});

test('a veth pair is born across two namespaces, with addresses and routes', async () => {
  await links.apply(
    [
      { op: 'add-bridge', name: 'bridge', group: 77 },
      { op: 'add-address', name: 'bridge', address: '10.1.2.1/24' },
      {
        op: 'add-veth',
        name: 'left',
        group: 77,
        peerName: 'right',
        peerNetns: second,
        peerMac: '02:00:00:00:00:05',
        mtu: 1400,
      },
      { op: 'set', name: 'left', master: 'bridge', up: true },
    ],
    first,
  );
  await links.apply(
    [
      { op: 'set', name: 'lo', up: true },
      { op: 'set', name: 'right', newName: 'eth0', up: true },
      { op: 'add-address', name: 'eth0', address: '10.1.2.3/24' },
      { op: 'add-address', name: 'eth0', address: 'fd00:77::3/64' },
      { op: 'add-route', name: 'eth0', gateway: '10.1.2.1', family: 4 },
    ],
    second,
  );
  const here = await links.list(first);
  const bridge = here.find((link) => link.name === 'bridge');
  const left = here.find((link) => link.name === 'left');
  assert.equal(bridge?.kind, 'bridge');
  assert.equal(left?.master, bridge?.index);
  assert.equal(left?.group, 77);
  const eth0 = (await links.list(second)).find((link) => link.name === 'eth0');
  assert.deepEqual({ mac: eth0?.mac, mtu: eth0?.mtu, up: eth0?.up }, { mac: '02:00:00:00:00:05', mtu: 1400, up: true });
  const addresses = await links.addresses('eth0', second);
  assert.ok(addresses.includes('10.1.2.3/24') && addresses.includes('fd00:77::3/64'));
  const destinations = (await links.routes(second)).map((route) => route.destination);
  assert.ok(destinations.includes('0.0.0.0/0') && destinations.includes('10.1.2.0/24'));
});

test('a change that fails names its object and the errno', async () => {
  await assert.rejects(
    links.apply([{ op: 'set', name: 'nowhere', up: true }], first),
    (error) => isBerthError(error, 'not-found') && /nowhere/.test(error.message),
  );
  await links.apply([{ op: 'delete', name: 'nowhere' }], first);
});

test('a ruleset loads whole or not at all, and is listed', async () => {
  await firewall.load(
    'add table inet berth_test; add chain inet berth_test c { type filter hook forward priority -1; policy drop; }',
    first,
  );
  await assert.rejects(
    firewall.load('add table inet berth_other; add rule inet berth_test nothere accept', first),
    (error) => isBerthError(error, 'unavailable') && /nothere/.test(error.message),
  );
  assert.deepEqual(await firewall.tables(first), ['inet berth_test']);
  const [chain] = await firewall.baseChains(first);
  assert.deepEqual(
    { hook: chain?.hook, policy: chain?.policy, priority: chain?.priority },
    { hook: 'forward', policy: 'drop', priority: -1 },
  );
  assert.match((await firewall.table('inet', 'berth_test', first)) ?? '', /policy drop/);
  assert.equal(await firewall.table('inet', 'berth_gone', first), undefined);
});

test('a bound port is taken for the next one and free after closing', () => {
  namespaces.enter(first, () => {
    const held = sockets.bind({ protocol: 'tcp', address: '0.0.0.0', port: 0 });
    assert.ok(held.port > 0);
    const again = { protocol: 'tcp', address: '0.0.0.0', port: held.port } as const;
    assert.throws(
      () => sockets.bind(again),
      (error) => isBerthError(error, 'conflict'),
    );
    sockets.close(held.fd);
    sockets.close(sockets.bind(again).fd);
  });
});

test('the thread is home again after a throw inside a namespace', async () => {
  assert.throws(() =>
    namespaces.enter(first, () => {
      throw new Error('inside');
    }),
  );
  const names = (await links.list()).map((link) => link.name);
  assert.ok(!names.includes('bridge'));
});
