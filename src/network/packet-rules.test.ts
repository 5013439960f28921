import assert from 'node:assert/strict';
import { test } from 'node:test';
import { silentLogger } from '#base';
import type { Connections, Firewall, Links } from '#host';
import { InputDetour } from './input-detour.ts';
import { PacketRules } from './packet-rules.ts';
import type { PortRule } from './ruleset.ts';

const port = (target: string): PortRule => ({
  binding: { protocol: 'tcp', containerPort: 80, hostAddress: '0.0.0.0', hostPort: 8080 },
  target,
});

test('a table that is loaded anew while a port moves has it where it moved to', async () => {
  const loads: string[] = [];
  let rules = 1;
  let hold: Promise<void> = Promise.resolve();
  const firewall: Pick<Firewall, 'load' | 'contents'> = {
    async load(script) {
      await hold;
      loads.push(script);
      rules = 1;
    },
    contents: async () => ({
      chains: [],
      rules: Array.from({ length: rules }, () => ({ chain: 'x', handle: 1, comment: '' })),
    }),
  };
  const nobody = {} as Links & Connections;
  const table = new PacketRules({
    names: { table: 't', group: 1, mark: 1, detourBack: 'back' },
    detour: new InputDetour({ links: nobody, group: 1 }),
    firewall: firewall as Firewall,
    connections: nobody,
    firewallMode: 'open',
    log: silentLogger,
  });
  await table.reload([], [port('10.0.0.2')]);
  let go = (): void => undefined;
  hold = new Promise((resolve) => {
    go = resolve;
  });
  const moved = table.movePorts([port('10.0.0.2')], [port('10.0.0.3')]);
  rules = 0;
  const repaired = table.repair();
  rules = 0;
  go();
  await moved;
  rules = 0;
  await repaired;
  const last = loads.at(-1) ?? '';
  assert.match(last, /10\.0\.0\.3 \. 80/);
  assert.doesNotMatch(last.split('add element').slice(-1)[0] ?? '', /10\.0\.0\.2/);
});
