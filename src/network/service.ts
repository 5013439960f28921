import { createHash } from 'node:crypto';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, messageOf } from '#base';
import {
  type Connections,
  doomedLinkGroup,
  type Firewall,
  type Links,
  type NetworkNamespaces,
  type Sockets,
} from '#host';
import type { Database } from '#metadata';
import { bridgeRules, createBridgeDriver } from './bridge-driver.ts';
import { NameService, type NameServiceOptions } from './dns/name-service.ts';
import type { NetworkDriver } from './driver.ts';
import { FirewallGuard } from './firewall-guard.ts';
import { ForeignChains } from './foreign-chains.ts';
import { InputDetour } from './input-detour.ts';
import { formatAddress, formatSubnet, parseCidr, parseSubnet } from './ip.ts';
import { type AddressPool, defaultAddressPools, Ipam } from './ipam.ts';
import type { IpamPool, NetworkService, PortBinding } from './network.ts';
import { NetworkCatalog } from './network-catalog.ts';
import { PacketRules } from './packet-rules.ts';
import { createHostDriver, createNoneDriver } from './plain-drivers.ts';
import { PublishedPorts, portRules } from './published-ports.ts';
import type { FirewallMode, PortRule } from './ruleset.ts';
import type { HostFiles } from './sandbox-files.ts';
import { SandboxManager } from './sandbox-manager.ts';
import { SandboxPool } from './sandbox-pool.ts';
import { SandboxRecords } from './sandbox-records.ts';
import { SandboxRemoval } from './sandbox-removal.ts';
import { portTargets } from './sandbox-wiring.ts';
import { createIpvlanDriver, createMacvlanDriver } from './vlan-drivers.ts';

/** What a network service is made with. */
export interface NetworkServiceOptions {
  readonly database: Database;
  readonly namespaces: NetworkNamespaces;
  readonly links: Links;
  readonly firewall: Firewall;
  readonly connections: Connections;
  readonly sockets: Sockets;
  /** Directory that is gone with the boot; namespaces are pinned in `netns` below it. */
  readonly execRoot: string;
  /** Tells engines on one machine apart: letters, digits, `_`, `-`. */
  readonly instance: string;
  /** Name of the default bridge; `berth0` if left out. */
  readonly bridge?: string;
  /** Address and prefix of the default bridge, such as `172.17.0.1/16`; a free one if left out. */
  readonly bip?: string;
  /** Where networks get their subnets from; Docker's ranges if left out or empty. */
  readonly addressPools?: readonly AddressPool[];
  /** Who decides about connections to published ports, on networks that do not say (`berth.firewall`); `open` if left out. */
  readonly firewallMode?: FirewallMode;
  /**
   * Where a chain of the host drops forwarded packets: `admit` (if left out) adds one rule that lets marked ones through,
   * `leave` touches nothing.
   */
  readonly forwardDrop?: 'admit' | 'leave';
  /** Sandboxes that wait ready; 4 if left out. */
  readonly poolSize?: number;
  readonly hostFiles?: HostFiles;
  readonly log: Logger;
}

/** The default bridge takes the first free one of these. */
const BRIDGE_POOL = [
  { base: parseSubnet('172.17.0.0/16'), size: 16 },
  { base: parseSubnet('172.18.0.0/15'), size: 16 },
  { base: parseSubnet('172.20.0.0/14'), size: 16 },
  { base: parseSubnet('172.24.0.0/13'), size: 16 },
  { base: parseSubnet('192.168.0.0/16'), size: 20 },
  { base: parseSubnet('10.0.0.0/8'), size: 16 },
];
/** Bit of the packet mark that says: an engine of ours lets this through. */
const PASS_MARK = 0x2000000;

/** Makes the network service. Call `reconcile` before anything else: it makes the predefined networks and loads the rules. */
export function createNetworkService(options: NetworkServiceOptions): NetworkService {
  const { database, links, namespaces, firewall, connections, sockets, log } = options;
  const group = linkGroup(options.instance);
  const table = `berth_${options.instance.replaceAll(/[^\w]/g, '_')}`;
  const directory = join(options.execRoot, 'netns');
  const hostFiles = options.hostFiles ?? { hosts: '/etc/hosts', resolvConf: '/etc/resolv.conf' };
  const firewallMode = options.firewallMode ?? 'open';
  const detour = new InputDetour({ links, group });
  const driverList = [
    createBridgeDriver({ links, namespaces, group }),
    createMacvlanDriver({ links, namespaces, group }),
    createIpvlanDriver({ links, namespaces, group }),
    createHostDriver(),
    createNoneDriver(),
  ];
  const drivers = new Map<string, NetworkDriver>(driverList.map((driver) => [driver.name, driver]));
  const rules = new PacketRules({
    names: { table, group, mark: PASS_MARK, detourBack: detour.names.back },
    ...{ detour, firewall, connections, firewallMode, log },
  });
  const records = new SandboxRecords(database);
  const ipam = new Ipam(database, options.addressPools?.length ? options.addressPools : defaultAddressPools);
  const catalog = new NetworkCatalog({ database, links, ipam, drivers, rules, sandboxes: records });
  const ports = new PublishedPorts(sockets);
  const mayForward: NameServiceOptions['mayForward'] = (record) =>
    record.endpoints.some(({ endpoint }) => !catalog.get(endpoint.networkId).internal);
  const names = new NameService({ records, namespaces, sockets, firewall, hostFiles, mayForward, log });
  const pool = new SandboxPool({
    ...{ namespaces, links, directory, group, log },
    size: options.poolSize ?? 4,
    prepareNames: (netns) => names.prepare(netns),
  });
  const removal = new SandboxRemoval({ database, namespaces, ipam, catalog, records, ports, rules, names, log });
  const manager = new SandboxManager({
    ...{ database, namespaces, links, ipam, catalog, records, pool, removal, ports, rules, names, hostFiles },
  });
  const foreign = new ForeignChains({
    firewall,
    comment: table,
    mark: PASS_MARK,
    adds: options.forwardDrop !== 'leave',
    onBlocked: (chain, remedy) => log.warn('a chain of the host drops forwarded packets', { chain, remedy }),
    onAdmit: (chain) => log.warn('a chain of the host drops forwarded packets; a rule now admits ours', { chain }),
  });
  const guard = new FirewallGuard({ firewall, table, rules, foreign, log });
  const reconciler = {
    options,
    catalog,
    records,
    manager,
    removal,
    rules,
    foreign,
    guard,
    pool,
    ipam,
    detour,
    group,
    directory,
  };
  return {
    async create(request) {
      const network = await catalog.create(request);
      if (catalog.driver(network.driver).bridged) pool.expectNames();
      return network;
    },
    get: async (name) => catalog.get(name),
    list: async () => catalog.all(),
    endpoints: async (networkId) =>
      records.on(networkId).map(({ record, endpoint }) => ({ owner: record.owner, endpoint })),
    remove: (name) => catalog.remove(name),
    check: (endpoints) => manager.check(endpoints),
    open: (request) => manager.open(request),
    find: (ownerId) => manager.find(ownerId),
    connect: (ownerId, endpoint) => manager.connect(ownerId, endpoint),
    disconnect: (ownerId, network) => manager.disconnect(ownerId, network),
    takeOver: (ownerId, options) => manager.takeOver(ownerId, options),
    rename: (ownerId, name) => manager.rename(ownerId, name),
    close: (ownerId) => manager.close(ownerId),
    onChange: (listener) => manager.onChange(listener),
    reconcile: (alive) => reconcile(reconciler, alive),
    async shutdown() {
      await guard.stop();
      await pool.close();
      names.close();
      ports.close();
      await removal.settle();
      if (records.all().length === 0) await leaveHost(reconciler);
      await Promise.all(driverList.map((driver) => driver.settle()));
    },
  };
}

interface Reconciler {
  readonly options: NetworkServiceOptions;
  readonly catalog: NetworkCatalog;
  readonly records: SandboxRecords;
  readonly manager: SandboxManager;
  readonly removal: SandboxRemoval;
  readonly rules: PacketRules;
  readonly foreign: ForeignChains;
  readonly guard: FirewallGuard;
  readonly pool: SandboxPool;
  readonly ipam: Ipam;
  readonly detour: InputDetour;
  readonly group: number;
  readonly directory: string;
}

async function reconcile(parts: Reconciler, alive: ReadonlySet<string>): Promise<void> {
  const { catalog, records, manager, removal, rules, foreign, guard, pool, directory } = parts;
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  forwardIPv4(parts.options.log);
  // Whole and in one transaction: what runs is reachable all the time, also by the rules of a daemon that was killed.
  const bridged = catalog.all().filter((network) => catalog.driver(network.driver).bridged);
  await rules.reload(bridged.map(bridgeRules), runningPorts(records, alive));
  await makePredefined(parts);
  const networks = catalog.all();
  for (const network of networks) await catalog.driver(network.driver).up(network);
  for (const record of records.all()) if (!alive.has(record.owner.id)) await manager.close(record.owner.id);
  await removal.settle();
  await removeLeftovers(parts);
  for (const record of records.all()) await resume(parts, record.owner.id);
  guard.start();
  await foreign.admit();
  pool.start();
  const named = networks.some((network) => network.name !== 'bridge' && catalog.driver(network.driver).bridged);
  if (named) pool.expectNames();
}

/** With nobody connected nothing of ours need stay: bridges, table and rules come back at the next start. */
async function leaveHost({ catalog, rules, foreign, detour }: Reconciler): Promise<void> {
  for (const network of catalog.all()) await catalog.driver(network.driver).down(network);
  await rules.remove();
  await detour.down();
  await foreign.withdraw();
}

async function resume({ records, manager, options }: Reconciler, ownerId: string): Promise<void> {
  const record = records.get(ownerId);
  if (!record) return;
  try {
    const lost: PortBinding[] = await manager.resume(record);
    if (lost.length > 0) options.log.warn('host ports were taken meanwhile', { container: ownerId, ports: lost });
  } catch (error) {
    options.log.error('cannot resume a network sandbox', { container: ownerId, error: messageOf(error) });
  }
}

function runningPorts(records: SandboxRecords, alive: ReadonlySet<string>): PortRule[] {
  return records
    .all()
    .filter((record) => alive.has(record.owner.id))
    .flatMap((record) => portRules(record.ports, portTargets(record)));
}

/** Removes links and namespaces of this instance that no record names: what a killed daemon left half done, and its pool. */
async function removeLeftovers(parts: Reconciler): Promise<void> {
  const { options, records, catalog, rules, detour, group, directory } = parts;
  const { links, namespaces } = options;
  const own = new Set(catalog.all().flatMap((network) => catalog.driver(network.driver).hostLinks(network)));
  if (rules.asksHost) own.add(detour.names.out);
  const used = new Set(records.all().flatMap((record) => record.endpoints.map((endpoint) => endpoint.hostLink)));
  for (const link of await links.list()) {
    const ours = link.group === group && !own.has(link.name) && !used.has(link.name);
    if (ours || link.group === doomedLinkGroup) {
      await links.apply([{ op: 'delete', name: link.name }]);
    }
  }
  const pinned = new Set(records.all().map((record) => record.netns));
  for (const name of readdirSync(directory)) {
    const path = join(directory, name);
    if (!pinned.has(path)) await namespaces.remove(path);
  }
}

async function makePredefined({ options, catalog, ipam }: Reconciler): Promise<void> {
  const has = (name: string) => catalog.all().some((network) => network.name === name);
  if (!has('bridge')) {
    const taken = (await options.links.routes()).map((route) => parseSubnet(route.destination));
    const busy = taken.filter((subnet) => subnet.prefix > 0);
    const pool: Partial<IpamPool> =
      options.bip === undefined
        ? { subnet: formatSubnet(ipam.freeSubnet(4, busy, BRIDGE_POOL)) }
        : { subnet: formatSubnet(parseSubnet(options.bip)), gateway: formatAddress(parseCidr(options.bip).address) };
    const bridgeOptions = {
      'com.docker.network.bridge.default_bridge': 'true',
      'com.docker.network.bridge.enable_icc': 'true',
      'com.docker.network.bridge.enable_ip_masquerade': 'true',
      'com.docker.network.bridge.host_binding_ipv4': '0.0.0.0',
      'com.docker.network.bridge.name': options.bridge ?? 'berth0',
      'com.docker.network.driver.mtu': '1500',
    };
    await catalog.create({ name: 'bridge', driver: 'bridge', ipam: { pools: [pool] }, options: bridgeOptions }, true);
  }
  if (!has('host')) await catalog.create({ name: 'host', driver: 'host' }, true);
  if (!has('none')) await catalog.create({ name: 'none', driver: 'null' }, true);
}

/** Containers reach the world only when the host routes (kernel doc ip-sysctl, ip_forward). */
function forwardIPv4(log: Logger): void {
  const path = '/proc/sys/net/ipv4/ip_forward';
  if (readFileSync(path, 'utf8').trim() === '1') return;
  writeFileSync(path, '1');
  log.info('IPv4 forwarding is now on (net.ipv4.ip_forward)');
}

/** A link group that is this instance's own: 24 bits of its name's hash under a fixed top byte. */
function linkGroup(instance: string): number {
  return 0x62000000 + (createHash('sha256').update(instance).digest().readUInt32BE(0) >>> 8);
}
