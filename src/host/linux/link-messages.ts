import { isIPv6 } from 'node:net';
import { addressBytes } from '#base';
import type { LinkChange } from '../links.ts';
import { attribute, type NetlinkRequest, NLM_F, nested } from './netlink.ts';

type Change<Op extends LinkChange['op']> = Extract<LinkChange, { op: Op }>;

// Numbers of linux/rtnetlink.h, linux/if_link.h, linux/if_addr.h and linux/veth.h.
/** Message types for links. */
export const LINK = { new: 16, delete: 17, get: 18 } as const;
/** Message types for addresses. */
export const ADDRESS = { new: 20, delete: 21, get: 22 } as const;
/** Message types for routes. */
export const ROUTE = { new: 24, delete: 25, get: 26 } as const;
/** Attributes of a link. */
export const IFLA = {
  ADDRESS: 1,
  IFNAME: 3,
  MTU: 4,
  LINK: 5,
  MASTER: 10,
  LINKINFO: 18,
  GROUP: 27,
  NET_NS_FD: 28,
} as const;
/** Attributes inside IFLA_LINKINFO. */
export const INFO = { KIND: 1, DATA: 2, SLAVE_KIND: 4, SLAVE_DATA: 5 } as const;
/** Attributes of an address. */
export const IFA = { ADDRESS: 1, LOCAL: 2, BROADCAST: 4, FLAGS: 8 } as const;
/** Attributes of a route. */
export const RTA = { DST: 1, OIF: 4, GATEWAY: 5, TABLE: 15 } as const;
/** The link is administratively up. */
export const IFF_UP = 1;
const IFF_NOARP = 0x80;

const IFLA_BRPORT_MODE = 4;
const IFLA_BRPORT_ISOLATED = 33;
const VETH_INFO_PEER = 1;
const IFLA_MACVLAN_MODE = 1;
const MACVLAN_MODES = { private: 1, vepa: 2, bridge: 4, passthru: 8 } as const;
const IFLA_IPVLAN_MODE = 1;
const IFLA_IPVLAN_FLAGS = 2;
const IPVLAN_MODES = { l2: 0, l3: 1, l3s: 2 } as const;
const IPVLAN_FLAGS = { bridge: 0, private: 1, vepa: 2 } as const;
const IFLA_VLAN_ID = 1;
const AF_INET = 2;
const AF_INET6 = 10;
const IFA_F_NODAD = 2;
const RT_TABLE_MAIN = 254;
const RTPROT_BOOT = 3;
const RT_SCOPE_UNIVERSE = 0;
const RT_SCOPE_LINK = 253;
/** RT_SCOPE_NOWHERE: in a deletion, whatever the scope is. */
const RT_SCOPE_ANY = 255;
const RTN_UNICAST = 1;
const NEW = NLM_F.CREATE | NLM_F.EXCL;

/** A struct ifinfomsg. */
export function interfaceHeader(fields: { index?: number; flags?: number; change?: number }): Buffer {
  const out = Buffer.alloc(16);
  out.writeInt32LE(fields.index ?? 0, 4);
  out.writeUInt32LE(fields.flags ?? 0, 8);
  out.writeUInt32LE(fields.change ?? 0, 12);
  return out;
}

/** A new bridge, up at once. */
export function addBridge(change: Change<'add-bridge'>): NetlinkRequest {
  const parts = [
    interfaceHeader({ flags: IFF_UP, change: IFF_UP }),
    attribute(IFLA.IFNAME, change.name),
    attribute(IFLA.GROUP, change.group),
    nested(IFLA.LINKINFO, attribute(INFO.KIND, 'bridge')),
  ];
  if (change.mac !== undefined) parts.push(attribute(IFLA.ADDRESS, macBytes(change.mac)));
  if (change.mtu !== undefined) parts.push(attribute(IFLA.MTU, change.mtu));
  return { type: LINK.new, flags: NEW, body: Buffer.concat(parts) };
}

/** A veth pair whose far end is born in the namespace open at `fd`. */
export function addVeth(change: Change<'add-veth'>, fd: number): NetlinkRequest {
  const mtu = change.mtu === undefined ? [] : [attribute(IFLA.MTU, change.mtu)];
  const peer = Buffer.concat([
    interfaceHeader({}),
    attribute(IFLA.IFNAME, change.peerName),
    attribute(IFLA.ADDRESS, macBytes(change.peerMac)),
    attribute(IFLA.NET_NS_FD, fd),
    ...mtu,
  ]);
  const body = Buffer.concat([
    interfaceHeader({}),
    attribute(IFLA.IFNAME, change.name),
    attribute(IFLA.GROUP, change.group),
    ...mtu,
    nested(IFLA.LINKINFO, attribute(INFO.KIND, 'veth'), nested(INFO.DATA, attribute(VETH_INFO_PEER | 0x8000, peer))),
  ]);
  return { type: LINK.new, flags: NEW, body };
}

/** A macvlan interface on the link `parent`, born in the namespace open at `fd`. */
export function addMacvlan(change: Change<'add-macvlan'>, fd: number, parent: number): NetlinkRequest {
  const body = Buffer.concat([
    interfaceHeader({}),
    attribute(IFLA.IFNAME, change.peerName),
    attribute(IFLA.ADDRESS, macBytes(change.peerMac)),
    attribute(IFLA.LINK, parent),
    attribute(IFLA.NET_NS_FD, fd),
    nested(
      IFLA.LINKINFO,
      attribute(INFO.KIND, 'macvlan'),
      nested(INFO.DATA, attribute(IFLA_MACVLAN_MODE, MACVLAN_MODES[change.mode])),
    ),
  ]);
  return { type: LINK.new, flags: NEW, body };
}

/** An ipvlan interface on the link `parent`, born in the namespace open at `fd`. */
export function addIpvlan(change: Change<'add-ipvlan'>, fd: number, parent: number): NetlinkRequest {
  const mode = Buffer.alloc(2);
  mode.writeUInt16LE(IPVLAN_MODES[change.mode]);
  const flags = Buffer.alloc(2);
  flags.writeUInt16LE(IPVLAN_FLAGS[change.isolation]);
  const body = Buffer.concat([
    interfaceHeader({}),
    attribute(IFLA.IFNAME, change.peerName),
    attribute(IFLA.LINK, parent),
    attribute(IFLA.NET_NS_FD, fd),
    nested(
      IFLA.LINKINFO,
      attribute(INFO.KIND, 'ipvlan'),
      nested(INFO.DATA, attribute(IFLA_IPVLAN_MODE, mode), attribute(IFLA_IPVLAN_FLAGS, flags)),
    ),
  ]);
  return { type: LINK.new, flags: NEW, body };
}

/** A new dummy link, up at once. */
export function addDummy(change: Change<'add-dummy'>): NetlinkRequest {
  const body = Buffer.concat([
    interfaceHeader({ flags: IFF_UP, change: IFF_UP }),
    attribute(IFLA.IFNAME, change.name),
    attribute(IFLA.GROUP, change.group),
    nested(IFLA.LINKINFO, attribute(INFO.KIND, 'dummy')),
  ]);
  return { type: LINK.new, flags: NEW, body };
}

/** A VLAN of the link `parent`. */
export function addVlan(change: Change<'add-vlan'>, parent: number): NetlinkRequest {
  const id = Buffer.alloc(2);
  id.writeUInt16LE(change.vlan);
  const body = Buffer.concat([
    interfaceHeader({}),
    attribute(IFLA.IFNAME, change.name),
    attribute(IFLA.GROUP, change.group),
    attribute(IFLA.LINK, parent),
    nested(IFLA.LINKINFO, attribute(INFO.KIND, 'vlan'), nested(INFO.DATA, attribute(IFLA_VLAN_ID, id))),
  ]);
  return { type: LINK.new, flags: NEW, body };
}

/** Changes of an existing link. `master` is an index, 0 to leave the bridge. */
export function setLink(change: Change<'set'>, index: number, master: number | undefined): NetlinkRequest {
  const up = change.up === undefined ? 0 : IFF_UP;
  const noArp = change.arp === undefined ? 0 : IFF_NOARP;
  const flags = (change.up ? IFF_UP : 0) | (change.arp === false ? IFF_NOARP : 0);
  const parts = [interfaceHeader({ index, flags, change: up | noArp })];
  if (change.newName !== undefined) parts.push(attribute(IFLA.IFNAME, change.newName));
  if (change.mac !== undefined) parts.push(attribute(IFLA.ADDRESS, macBytes(change.mac)));
  if (change.mtu !== undefined) parts.push(attribute(IFLA.MTU, change.mtu));
  if (master !== undefined) parts.push(attribute(IFLA.MASTER, master));
  const port = [
    ...(change.hairpin === undefined ? [] : [attribute(IFLA_BRPORT_MODE, flag(change.hairpin))]),
    ...(change.isolated === undefined ? [] : [attribute(IFLA_BRPORT_ISOLATED, flag(change.isolated))]),
  ];
  if (port.length > 0) {
    parts.push(nested(IFLA.LINKINFO, attribute(INFO.SLAVE_KIND, 'bridge'), nested(INFO.SLAVE_DATA, ...port)));
  }
  return { type: LINK.new, flags: 0, body: Buffer.concat(parts) };
}

/** Deletes a link by name, and so its peer. */
export function deleteLink(change: Change<'delete'>): NetlinkRequest {
  const body = Buffer.concat([interfaceHeader({}), attribute(IFLA.IFNAME, change.name)]);
  return { type: LINK.delete, flags: 0, body };
}

/** Puts an existing link into a group. */
export function setGroup(index: number, group: number): NetlinkRequest {
  const body = Buffer.concat([interfaceHeader({ index }), attribute(IFLA.GROUP, group)]);
  return { type: LINK.new, flags: 0, body };
}

/** Deletes all links of a group at once. */
export function deleteGroup(group: number): NetlinkRequest {
  const body = Buffer.concat([interfaceHeader({}), attribute(IFLA.GROUP, group)]);
  return { type: LINK.delete, flags: 0, body };
}

/** Adds or takes an address in CIDR form. IPv6 skips duplicate detection: the engine gave the address out itself. */
export function encodeAddress(change: Change<'add-address' | 'delete-address'>, index: number): NetlinkRequest {
  const [address = '', prefix = ''] = change.address.split('/');
  const bytes = addressBytes(address);
  const header = Buffer.alloc(8);
  header[0] = bytes.length === 4 ? AF_INET : AF_INET6;
  header[1] = Number(prefix);
  header[2] = bytes.length === 4 ? 0 : IFA_F_NODAD;
  header.writeUInt32LE(index, 4);
  const parts = [header, attribute(IFA.LOCAL, bytes), attribute(IFA.ADDRESS, bytes)];
  if (bytes.length === 4) parts.push(attribute(IFA.BROADCAST, broadcast(bytes, Number(prefix))));
  const adding = change.op === 'add-address';
  return { type: adding ? ADDRESS.new : ADDRESS.delete, flags: adding ? NEW : 0, body: Buffer.concat(parts) };
}

/** Adds or takes a route through `index`; without a gateway the destination is on the link itself. */
export function encodeRoute(change: Change<'add-route' | 'delete-route'>, index: number): NetlinkRequest {
  const adding = change.op === 'add-route';
  const [address, prefix = '0'] = change.destination?.split('/') ?? [];
  const header = Buffer.alloc(12);
  header[0] = change.family === 6 || (address !== undefined && isIPv6(address)) ? AF_INET6 : AF_INET;
  header[1] = Number(prefix);
  header[4] = RT_TABLE_MAIN;
  const scope = change.gateway === undefined && change.family === 4 ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  header[5] = adding ? RTPROT_BOOT : 0;
  header[6] = adding ? scope : RT_SCOPE_ANY;
  header[7] = RTN_UNICAST;
  const parts = [header, attribute(RTA.OIF, index)];
  if (address !== undefined) parts.push(attribute(RTA.DST, addressBytes(address)));
  if (change.gateway !== undefined) parts.push(attribute(RTA.GATEWAY, addressBytes(change.gateway)));
  return { type: adding ? ROUTE.new : ROUTE.delete, flags: adding ? NEW : 0, body: Buffer.concat(parts) };
}

function flag(value: boolean): Buffer {
  return Buffer.from([value ? 1 : 0]);
}

function macBytes(mac: string): Buffer {
  return Buffer.from(mac.replaceAll(':', ''), 'hex');
}

function broadcast(address: Buffer, prefix: number): Buffer {
  const out = Buffer.alloc(4);
  const host = prefix === 0 ? 0xffffffff : 0xffffffff >>> prefix;
  out.writeUInt32BE((address.readUInt32BE(0) | host) >>> 0);
  return out;
}
