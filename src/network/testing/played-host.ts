import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import koffi from 'koffi';
import { silentLogger } from '#base';
import { createConnections, createFirewall, createLinks, createNetworkNamespaces, createSockets } from '#host';
import { openDatabase } from '#metadata';
import {
  createNetworkService,
  type NetworkService,
  type NetworkServiceOptions,
  networkMigrations,
  type SandboxRequest,
} from '../index.ts';
import { createTraffic } from './traffic.ts';

// sched.h
const CLONE_NEWNET = 0x40000000;

/** Addresses of the played host and of the machine behind its link (RFC 5737, RFC 3849). */
export const places = {
  host: { ipv4: '198.51.100.2', ipv6: '2001:db8:51::2' },
  lan: { ipv4: '198.51.100.1', ipv6: '2001:db8:51::1' },
} as const;

/**
 * Moves this process into a network namespace of its own that plays the host, for the rest of its life: nothing of the
 * machine's network is touched. `up` gives it a link to another namespace, `lan`, which plays a second machine.
 */
export function playHost(instance: string) {
  koffi.load('libc.so.6').func('int unshare(int flags)')(CLONE_NEWNET);
  const namespaces = createNetworkNamespaces();
  const links = createLinks(namespaces);
  const firewall = createFirewall(namespaces);
  const sockets = createSockets();
  const root = mkdtempSync(`/tmp/network-${instance}-`);
  const hostFiles = { hosts: join(root, 'hosts'), resolvConf: join(root, 'resolv.conf') };
  const lan = join(root, 'lan');
  const database = openDatabase(':memory:', networkMigrations);
  return {
    ...{ namespaces, links, firewall, sockets, root, hostFiles, lan, database },
    ...createTraffic({ namespaces, sockets }),
    /** A service over the one database; its sandboxes are made when they are asked for. */
    service: (options: Partial<NetworkServiceOptions> = {}): NetworkService =>
      createNetworkService({
        ...{ database, namespaces, links, firewall, sockets, hostFiles, instance },
        connections: createConnections(),
        execRoot: root,
        bridge: 'played0',
        poolSize: 0,
        log: silentLogger,
        ...options,
      }),
    async up(): Promise<void> {
      writeFileSync(hostFiles.hosts, '127.0.0.1 localhost\n');
      writeFileSync(hostFiles.resolvConf, `nameserver ${places.lan.ipv4}\n`);
      await links.apply([{ op: 'set', name: 'lo', up: true }]);
      await namespaces.create(lan);
      await links.apply([
        { op: 'add-veth', name: 'uplink', group: 0, peerName: 'wire', peerNetns: lan, peerMac: '02:00:00:00:00:99' },
      ]);
      // Addresses that are still looked for among the neighbours cannot be asked.
      const trust = (link: string) => writeFileSync(`/proc/sys/net/ipv6/conf/${link}/accept_dad`, '0');
      trust('uplink');
      namespaces.enter(lan, () => trust('wire'));
      await links.apply([
        { op: 'add-address', name: 'uplink', address: `${places.host.ipv4}/24` },
        { op: 'add-address', name: 'uplink', address: `${places.host.ipv6}/64` },
        { op: 'set', name: 'uplink', up: true },
      ]);
      await links.apply(
        [
          { op: 'set', name: 'lo', up: true },
          { op: 'add-address', name: 'wire', address: `${places.lan.ipv4}/24` },
          { op: 'add-address', name: 'wire', address: `${places.lan.ipv6}/64` },
          { op: 'set', name: 'wire', up: true },
        ],
        lan,
      );
    },
    /** Call after the service's shutdown. */
    async down(): Promise<void> {
      await namespaces.remove(lan);
      rmSync(root, { recursive: true });
    },
  };
}

/** A request for one sandbox on the default bridge, or as `extra` has it. */
export function sandboxRequest(owner: SandboxRequest['owner'], extra: Partial<SandboxRequest> = {}): SandboxRequest {
  return {
    owner,
    endpoints: [{ network: 'bridge' }],
    ports: [],
    dns: { servers: [], search: [], options: [] },
    extraHosts: [],
    ...extra,
  };
}
