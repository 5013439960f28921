import assert from 'node:assert/strict';
import { test } from 'node:test';
import { networkElements, portElements, renderRuleset } from './ruleset.ts';

const network = {
  bridge: 'br-1',
  subnets: ['10.0.0.0/24', 'fd00::/64'],
  internal: false,
  icc: true,
  masquerade: true,
  routed: [],
  unprotected: [],
};

test('the rules do not grow with networks and ports, only elements do', () => {
  const names = { table: 'berth_x', group: 7, mark: 1, detourBack: 'back' };
  const port = (hostPort: number) => ({
    binding: { protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPort } as const,
    target: '10.0.0.2',
  });
  const empty = renderRuleset(names, { networks: [], ports: [], detourIndex: undefined }).split('\n');
  const content = { networks: [network], ports: [port(1), port(2)], detourIndex: undefined };
  const full = renderRuleset(names, content).split('\n');
  assert.deepEqual(full.slice(0, empty.length), empty);
  assert.ok(full.slice(empty.length).every((line) => line.startsWith('add element inet berth_x ')));
});

test('an internal network is not translated, one without icc is not open inside', () => {
  const lines = networkElements('t', 'add', { ...network, internal: true, icc: false }).join('\n');
  assert.match(lines, /internal \{ "br-1" \}/);
  assert.doesNotMatch(lines, /masquerade|inside/);
});

test('a port on one address of the host has that address in its key', () => {
  const binding = { protocol: 'udp', containerPort: 53, hostAddress: '127.0.0.1', hostPort: 5353 } as const;
  assert.deepEqual(portElements('t', 'delete', { binding, target: '10.0.0.2' }), [
    'delete element inet t one4 { 127.0.0.1 . udp . 5353 : 10.0.0.2 . 53 }',
  ]);
});
