import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { isIP } from 'node:net';
import { invalid, shortId } from '#base';
import type { LinkChange, Links, NetworkNamespaces } from '#host';
import type { NetworkDriver } from './driver.ts';
import { checkGatewayModes, familiesIn, gatewayMode } from './gateway-mode.ts';
import { checkMtu, mtuOf, setUpInterface } from './interface-setup.ts';
import { parseSubnet } from './ip.ts';
import type { Network, PortRequest } from './network.ts';
import type { BridgeRules, FirewallMode } from './ruleset.ts';

const OPTION = 'com.docker.network.bridge.';
/** Whether the host's input rules decide about published ports: `host` or `open`. */
const FIREWALL = 'berth.firewall';
/** Options that are booleans, without {@link OPTION}. */
const FLAGS = ['default_bridge', 'enable_icc', 'enable_ip_masquerade', 'inhibit_ipv4'];
/** The address of the host that ports are published at where the container names none. */
const HOST_BINDING = `${OPTION}host_binding_ipv4`;
/** What Go's strconv.ParseBool takes. */
const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/** What the bridge driver needs of the host. */
export interface BridgeDriverOptions {
  readonly links: Links;
  readonly namespaces: NetworkNamespaces;
  /** Link group by which the engine knows its links. */
  readonly group: number;
}

/** The interface name of a network's bridge: as asked for, else `br-` and the first 12 digits of the id. */
export function bridgeName(network: Pick<Network, 'id' | 'options'>): string {
  return network.options[`${OPTION}name`] ?? `br-${shortId(network.id)}`;
}

/** The options of a bridge network that packet rules depend on. */
export function bridgeRules(network: Network): BridgeRules {
  return {
    bridge: bridgeName(network),
    subnets: network.ipam.pools.map((pool) => pool.subnet),
    internal: network.internal,
    icc: flag(network, 'enable_icc'),
    masquerade: flag(network, 'enable_ip_masquerade'),
    routed: familiesIn(network, 'routed'),
    unprotected: familiesIn(network, 'nat-unprotected'),
    ...firewallOf(network),
  };
}

/** The requests with the address of the host that the network publishes at, where they have none of their own. */
export function atHostBinding(network: Network, requests: readonly PortRequest[]): readonly PortRequest[] {
  const hostAddress = network.options[HOST_BINDING];
  if (!hostAddress || hostAddress === '0.0.0.0') return requests;
  return requests.map((request) => (request.hostAddress ? request : { ...request, hostAddress }));
}

/** Networks on a Linux bridge of the host, one veth pair per sandbox. */
export function createBridgeDriver({ links, namespaces, group }: BridgeDriverOptions): NetworkDriver {
  /** Bridges on their way out, by name. */
  const leaving = new Map<string, Promise<void>>();
  const remove = async (name: string) => {
    const there = (await links.list()).find((link) => link.name === name);
    if (there?.group === group) await links.apply([{ op: 'delete', name }]);
  };
  return {
    name: 'bridge',
    shares: 'namespace',
    addressed: true,
    bridged: true,
    single: false,
    hardwareAddresses: true,
    check(request) {
      const name = request.options?.[`${OPTION}name`];
      if (name !== undefined && !/^[\w.-]{1,15}$/.test(name)) {
        throw invalid(`invalid bridge name ${name}: 1 to 15 letters, digits, "_", "." or "-"`);
      }
      checkMtu(request.options);
      const firewall = request.options?.[FIREWALL];
      if (firewall !== undefined && firewall !== 'host' && firewall !== 'open') {
        throw invalid(`invalid ${FIREWALL} ${firewall}: host or open`);
      }
      checkGatewayModes(request);
      const address = request.options?.[HOST_BINDING];
      if (address !== undefined && isIP(address) === 0) {
        throw invalid(`failed to parse ${HOST_BINDING} value: ${address} (nil ip)`);
      }
      for (const option of FLAGS) checkFlag(`${OPTION}${option}`, request.options?.[`${OPTION}${option}`]);
    },
    hostLinks: (network) => [bridgeName(network)],
    routesByDevice: () => false,
    async up(network) {
      const name = bridgeName(network);
      await leaving.get(name);
      const there = (await links.list()).find((link) => link.name === name);
      if (there && there.group !== group) {
        throw invalid(`bridge ${name} exists already and is not this engine's; choose another name`);
      }
      if (!there) await links.apply([{ op: 'add-bridge', name, group, mac: randomMac() }]);
      try {
        // Lets the loopback of the host reach published ports; the packet rules keep containers off that path.
        writeFileSync(`/proc/sys/net/ipv4/conf/${name}/route_localnet`, '1');
        const have = await links.addresses(name);
        const changes: LinkChange[] = gateways(network)
          .filter((address) => !have.includes(address))
          .map((address) => ({ op: 'add-address', name, address }));
        if (network.enableIPv6) {
          forwardIPv6();
          // The bridge asks for containers by its link-local address, and would look for a double of it for two seconds first.
          writeFileSync(`/proc/sys/net/ipv6/conf/${name}/accept_dad`, '0');
        }
        // Set, not given at birth: only so the kernel does not adjust it to the ports.
        await links.apply([...changes, { op: 'set', name, up: true, ...mtuOf(network) }]);
      } catch (error) {
        if (!there) await links.apply([{ op: 'delete', name }]);
        throw error;
      }
    },
    async down(network) {
      const name = bridgeName(network);
      const gone = remove(name).finally(() => leaving.delete(name));
      leaving.set(name, gone);
      // Nobody need wait for the kernel; who wants the name again does, and a failure is met by the next start's clean-up.
      gone.catch(() => undefined);
    },
    async settle() {
      await Promise.allSettled(leaving.values());
    },
    async attach(network, attachment) {
      const { netns, interfaceName, hostLink, mac } = attachment;
      if (!attachment.ready) {
        await links.apply([
          { op: 'add-veth', name: hostLink, group, peerName: interfaceName, peerNetns: netns, peerMac: mac },
        ]);
      }
      try {
        const mtu = mtuOf(network);
        await links.apply([{ op: 'set', name: hostLink, master: bridgeName(network), up: true, ...mtu }]);
        // Where br_netfilter is on, a packet to the own published port is turned around inside the bridge.
        if (attachment.publishes) await links.apply([{ op: 'set', name: hostLink, hairpin: true }]);
        if (!flag(network, 'enable_icc') && !filtersBridges()) {
          await links.apply([{ op: 'set', name: hostLink, isolated: true }]);
        }
        await setUpInterface({ links, namespaces }, network, attachment);
      } catch (error) {
        await links.apply([{ op: 'delete', name: hostLink }]);
        throw error;
      }
    },
    async detach(attachment) {
      await links.apply([{ op: 'delete', name: attachment.hostLink }]);
    },
  };
}

/** A random unicast MAC of the locally administered kind. */
export function randomMac(): string {
  const bytes = randomBytes(6);
  bytes[0] = ((bytes[0] ?? 0) & 0xfe) | 0x02;
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join(':');
}

function gateways(network: Network): string[] {
  return network.ipam.pools.flatMap(({ gateway, subnet: text }) => {
    const { family, prefix } = parseSubnet(text);
    const enabled = family === 4 ? network.enableIPv4 : network.enableIPv6;
    return gateway === undefined || !enabled || gatewayMode(network, family) === 'isolated'
      ? []
      : [`${gateway}/${prefix}`];
  });
}

function firewallOf(network: Network): { firewall?: FirewallMode } {
  const value = network.options[FIREWALL];
  return value === 'host' || value === 'open' ? { firewall: value } : {};
}

function flag(network: Network, name: string): boolean {
  const value = network.options[`${OPTION}${name}`];
  return value === undefined || value === '' || TRUE.includes(value);
}

function checkFlag(option: string, value: string | undefined): void {
  if (value === undefined || value === '' || TRUE.includes(value) || FALSE.includes(value)) return;
  throw invalid(`failed to parse ${option} value: ${value} (strconv.ParseBool: parsing "${value}": invalid syntax)`);
}

/** Routing for IPv6, keeping the router advertisements that the host listens to (kernel doc ip-sysctl, accept_ra). */
function forwardIPv6(): void {
  const all = '/proc/sys/net/ipv6/conf/all/forwarding';
  if (readFileSync(all, 'utf8').trim() === '1') return;
  const accept = '/proc/sys/net/ipv6/conf/default/accept_ra';
  if (readFileSync(accept, 'utf8').trim() === '1') writeFileSync('/proc/sys/net/ipv6/conf/all/accept_ra', '2');
  writeFileSync(all, '1');
}

/**
 * With br_netfilter on, frames between ports of one bridge meet the packet rules, which know ports that are published;
 * without, only the bridge itself can keep them apart.
 */
function filtersBridges(): boolean {
  try {
    return readFileSync('/proc/sys/net/bridge/bridge-nf-call-iptables', 'utf8').trim() === '1';
  } catch {
    return false;
  }
}
