import { forbidden, invalid, isBerthError, shortId, unavailable } from '#base';
import type { LinkChange, Links, NetworkNamespaces } from '#host';
import type { Attachment, NetworkDriver } from './driver.ts';
import { checkMtu, setUpInterface } from './interface-setup.ts';
import type { Network, NetworkRequest } from './network.ts';

/** What these drivers need of the host. */
export interface VlanDriverOptions {
  readonly links: Links;
  readonly namespaces: NetworkNamespaces;
  /** Link group by which the engine knows its links. */
  readonly group: number;
}

const MACVLAN_MODES = ['bridge', 'private', 'vepa', 'passthru'] as const;
const IPVLAN_MODES = ['l2', 'l3', 'l3s'] as const;
const IPVLAN_FLAGS = ['bridge', 'private', 'vepa'] as const;

/** Networks whose sandboxes sit on the host's own network, each with a hardware address of its own (option `parent`). */
export function createMacvlanDriver(options: VlanDriverOptions): NetworkDriver {
  return vlanDriver(options, {
    name: 'macvlan',
    hardwareAddresses: true,
    check(request) {
      choose(request, 'macvlan_mode', MACVLAN_MODES);
    },
    routesByDevice: () => false,
    link: (network, parent, { interfaceName, netns, mac }) => ({
      op: 'add-macvlan',
      parent,
      peerName: interfaceName,
      peerNetns: netns,
      peerMac: mac,
      mode: choose(network, 'macvlan_mode', MACVLAN_MODES),
    }),
  });
}

/** As macvlan, but all sandboxes have their parent's hardware address; in the modes `l3` and `l3s` the parent routes. */
export function createIpvlanDriver(options: VlanDriverOptions): NetworkDriver {
  return vlanDriver(options, {
    name: 'ipvlan',
    hardwareAddresses: false,
    check(request) {
      choose(request, 'ipvlan_mode', IPVLAN_MODES);
      choose(request, 'ipvlan_flag', IPVLAN_FLAGS);
    },
    routesByDevice: (network) => choose(network, 'ipvlan_mode', IPVLAN_MODES) !== 'l2',
    link: (network, parent, { interfaceName, netns }) => ({
      op: 'add-ipvlan',
      parent,
      peerName: interfaceName,
      peerNetns: netns,
      mode: choose(network, 'ipvlan_mode', IPVLAN_MODES),
      isolation: choose(network, 'ipvlan_flag', IPVLAN_FLAGS),
    }),
  });
}

interface Kind {
  readonly name: 'macvlan' | 'ipvlan';
  readonly hardwareAddresses: boolean;
  check(request: NetworkRequest): void;
  routesByDevice(network: Network): boolean;
  link(network: Network, parent: string, attachment: Attachment): LinkChange;
}

/** The link that all sandboxes of a network sit on: the one named, or a dummy that connects them to each other alone. */
function parentOf(network: Network): string {
  return network.options.parent || `dm-${shortId(network.id)}`;
}

function vlanDriver({ links, namespaces, group }: VlanDriverOptions, kind: Kind): NetworkDriver {
  const find = async (name: string) => (await links.list()).find((link) => link.name === name);
  return {
    name: kind.name,
    shares: 'namespace',
    addressed: true,
    bridged: false,
    single: false,
    hardwareAddresses: kind.hardwareAddresses,
    check(request, others) {
      kind.check(request);
      checkMtu(request.options);
      const parent = request.options?.parent ?? '';
      if (parent === '') return;
      if (request.internal) {
        throw invalid(`a ${kind.name} network cannot be internal and have the parent ${parent}; leave out one of them`);
      }
      if (!/^[^\s/]{1,15}$/.test(parent)) throw invalid(`invalid parent interface name ${parent}`);
      const user = others.find((other) => isVlan(other) && other.options.parent === parent);
      if (user) throw forbidden(`network ${user.name} is already using parent interface ${parent}`);
    },
    hostLinks: (network) => [parentOf(network)],
    routesByDevice: (network) => kind.routesByDevice(network),
    async up(network) {
      const name = parentOf(network);
      if (await find(name)) return;
      if (!network.options.parent) {
        await addLink(links, { op: 'add-dummy', name, group }, 'dummy interfaces: name a parent with -o parent=LINK');
        return;
      }
      const [, parent, vlan] = /^(.+)\.(\d+)$/.exec(name) ?? [];
      if (parent === undefined || Number(vlan) < 1 || Number(vlan) > 4094 || !(await find(parent))) {
        throw invalid(
          `parent interface ${name} was not found on the host; name one of it, or LINK.VLAN for a new VLAN`,
        );
      }
      await addLink(links, { op: 'add-vlan', name, group, parent, vlan: Number(vlan) }, 'VLANs (module 8021q)');
      await links.apply([{ op: 'set', name, up: true }]);
    },
    async down(network) {
      const name = parentOf(network);
      if ((await find(name))?.group === group) await links.apply([{ op: 'delete', name }]);
    },
    async settle() {},
    async attach(network, attachment) {
      await addLink(links, kind.link(network, parentOf(network), attachment), `${kind.name} interfaces`);
      try {
        await setUpInterface({ links, namespaces }, network, attachment);
      } catch (error) {
        await links.apply([{ op: 'delete', name: attachment.interfaceName }], attachment.netns);
        throw error;
      }
    },
    async detach({ netns, interfaceName }) {
      await links.apply([{ op: 'delete', name: interfaceName }], netns);
    },
  };
}

/** Makes a link, saying so where the kernel has none of its kind. */
async function addLink(links: Links, change: LinkChange, what: string): Promise<void> {
  try {
    await links.apply([change]);
  } catch (error) {
    if (!isBerthError(error) || error.details.errno !== 'ENOTSUP') throw error;
    throw unavailable(`this kernel has no ${what}`, { cause: error, details: error.details });
  }
}

function isVlan(network: Network): boolean {
  return network.driver === 'macvlan' || network.driver === 'ipvlan';
}

/** The value of an option, the first of `values` where it is not given. Throws `invalid`. */
function choose<T extends string>(
  from: Pick<NetworkRequest, 'options'>,
  option: string,
  values: readonly [T, ...T[]],
): T {
  const given = from.options?.[option] ?? '';
  if (given === '') return values[0];
  const found = values.find((value) => value === given);
  if (found === undefined)
    throw invalid(`requested ${option} '${given}' is not valid: it is one of ${values.join(', ')}`);
  return found;
}
