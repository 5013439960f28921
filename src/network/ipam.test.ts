import assert from 'node:assert/strict';
import { test } from 'node:test';
import { newId } from '#base';
import { openDatabase } from '#metadata';
import { formatAddress, formatSubnet, overlaps, parseAddress, parseSubnet, reverseName } from './ip.ts';
import { defaultAddressPools, Ipam, readSubnet } from './ipam.ts';
import type { IpamPool, Network } from './network.ts';
import { networkMigrations } from './schema.ts';

function setUp(...pools: IpamPool[]) {
  const database = openDatabase(':memory:', networkMigrations);
  const ipam = new Ipam(database);
  const network: Network = {
    id: newId(),
    name: 'net',
    driver: 'bridge',
    createdAt: 0,
    internal: false,
    attachable: false,
    enableIPv4: true,
    enableIPv6: false,
    ipam: { driver: 'default', options: {}, pools },
    options: {},
    labels: {},
  };
  database.run('INSERT INTO network_networks VALUES (?, ?, 0, ?)', network.id, network.name, '{}');
  ipam.keep(network);
  return { ipam, network };
}

test('addresses are read and written back in their short form', () => {
  for (const text of ['10.0.0.1', '::', '::1', 'fd00::1:0:0:2', '2001:db8::1']) {
    assert.equal(formatAddress(parseAddress(text)), text);
  }
  assert.equal(formatAddress(parseAddress('::ffff:1.2.3.4')), '::ffff:102:304');
  assert.equal(formatSubnet(parseSubnet('10.1.2.3/23')), '10.1.2.0/23');
  assert.equal(reverseName(parseAddress('10.1.2.3')), '3.2.1.10.in-addr.arpa');
  for (const bad of ['10.0.0', '10.0.0.1/33', 'x/8', '/']) assert.throws(() => parseSubnet(bad), /invalid/);
});

test('the lowest free address is given, gateway and aux addresses never, and a released one again', () => {
  const { ipam, network } = setUp({ subnet: '10.0.0.0/29', gateway: '10.0.0.1', auxAddresses: { a: '10.0.0.3' } });
  const next = (owner: string) => ipam.allocate(network, { family: 4, owner });
  assert.deepEqual(['a', 'b', 'c', 'd'].map(next), ['10.0.0.2', '10.0.0.4', '10.0.0.5', '10.0.0.6']);
  assert.throws(() => next('e'), /no available IPv4 addresses/);
  ipam.release('b');
  assert.equal(next('e'), '10.0.0.4');
});

test('a wanted address is taken once, and only from inside the subnet', () => {
  const { ipam, network } = setUp({ subnet: '10.0.0.0/24', range: '10.0.0.128/25', gateway: '10.0.0.1' });
  assert.equal(ipam.allocate(network, { family: 4, owner: 'a' }), '10.0.0.128');
  assert.equal(ipam.allocate(network, { family: 4, owner: 'b', wanted: '10.0.0.9' }), '10.0.0.9');
  const again = { family: 4, owner: 'c', wanted: '10.0.0.9' } as const;
  assert.throws(() => ipam.allocate(network, again), /^BerthError: Address already in use$/);
  assert.throws(() => ipam.allocate(network, { ...again, wanted: '10.0.1.9' }), /no configured subnet or ip-range/);
});

test('the default pools hold 1,000 networks and leave the routes of the host alone', () => {
  const { ipam } = setUp();
  const route = parseSubnet('172.18.0.0/16');
  const taken = [route];
  for (let n = 0; n < 1000; n++) taken.push(ipam.freeSubnet(4, taken));
  assert.ok(taken.slice(1).every((subnet) => !overlaps(subnet, route)));
  assert.equal(new Set(taken.map(formatSubnet)).size, 1001);
  assert.throws(
    () =>
      ipam.freeSubnet(
        4,
        defaultAddressPools.map((pool) => parseSubnet(pool.base)),
      ),
    /fully subnetted/,
  );
});

test('a subnet with host bits, and a gateway or range outside, are refused', () => {
  const { ipam } = setUp();
  const subnet = parseSubnet('10.98.0.0/24');
  assert.throws(() => readSubnet('10.99.0.5/24'), /it should be 10\.99\.0\.0\/24/);
  assert.throws(() => ipam.complete({ gateway: '10.97.0.1' }, subnet), /no matching subnet for gateway 10\.97\.0\.1/);
  assert.throws(
    () => ipam.complete({ range: '10.97.0.0/24' }, subnet),
    /no matching subnet for range 10\.97\.0\.0\/24/,
  );
  assert.throws(
    () => ipam.complete({ gateway: '10.98.0.1', auxAddresses: { a: '10.98.0.1' } }, subnet),
    /failed to allocate secondary ip address \(a:10\.98\.0\.1\): Address already in use/,
  );
});
