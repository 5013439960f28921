import { closeSync, openSync } from 'node:fs';
import { type BerthError, conflict, notFound, Semaphore, unavailable } from '#base';
import type { NetworkNamespaces } from '../host.ts';
import type { Link, LinkChange, Links, Route } from '../links.ts';
import * as messages from './link-messages.ts';
import { attribute, NetlinkError, type NetlinkRequest, NetlinkSocket, parseAttributes } from './netlink.ts';
import { addressText } from './socket-address.ts';

const MAIN_TABLE = 254;
const UNICAST = 1;

/**
 * Links through rtnetlink(7) sockets: about 0.05 ms a change, where `ip -batch -` costs 2.3 ms for its process alone.
 * Making and deleting interfaces, which the kernel takes milliseconds for, runs on a pool thread; deletions one at
 * a time, so that they never fill the pool.
 */
export function createLinks(namespaces: Pick<NetworkNamespaces, 'enter'>): Links {
  const deletions = new Semaphore(1);
  const open = (netns?: string) =>
    netns === undefined ? new NetlinkSocket() : namespaces.enter(netns, () => new NetlinkSocket());
  return {
    async list(netns) {
      using socket = open(netns);
      return socket.dump({ type: messages.LINK.get, flags: 0, body: messages.interfaceHeader({}) }).map(parseLink);
    },
    async routes(netns) {
      using socket = open(netns);
      const bodies = socket.dump({ type: messages.ROUTE.get, flags: 0, body: Buffer.alloc(12) });
      return bodies.map(parseRoute).filter((route): route is Route => route !== undefined);
    },
    async addresses(name, netns) {
      using socket = open(netns);
      const index = indexOf(socket, name);
      const bodies = socket.dump({ type: messages.ADDRESS.get, flags: 0, body: Buffer.alloc(8) });
      return bodies.filter((body) => body.readUInt32LE(4) === index).flatMap(parseAddress);
    },
    async apply(changes, netns) {
      using socket = open(netns);
      for (const change of changes) {
        try {
          await applyOne(socket, change, deletions);
        } catch (error) {
          if (!(error instanceof NetlinkError)) throw error;
          if (change.op === 'delete' && error.errno === 'ENODEV') continue;
          throw changeFailure(change, error.errno);
        }
      }
    },
  };
}

async function applyOne(socket: NetlinkSocket, change: LinkChange, deletions: Semaphore): Promise<void> {
  switch (change.op) {
    case 'add-bridge':
      return socket.changeOffThread(messages.addBridge(change));
    case 'add-veth':
      return withNamespaceFd(change.peerNetns, (fd) => socket.changeOffThread(messages.addVeth(change, fd)));
    case 'add-macvlan': {
      const parent = indexOf(socket, change.parent);
      return withNamespaceFd(change.peerNetns, (fd) => socket.changeOffThread(messages.addMacvlan(change, fd, parent)));
    }
    case 'set': {
      const index = indexOf(socket, change.name);
      const master =
        change.master === undefined ? undefined : change.master === '' ? 0 : indexOf(socket, change.master);
      return socket.change(messages.setLink(change, index, master));
    }
    case 'delete': {
      const request: NetlinkRequest = {
        type: messages.LINK.delete,
        flags: 0,
        body: Buffer.concat([messages.interfaceHeader({}), attribute(messages.IFLA.IFNAME, change.name)]),
      };
      return deletions.run(() => socket.changeOffThread(request));
    }
    case 'add-address':
    case 'delete-address':
      return socket.change(messages.encodeAddress(change, indexOf(socket, change.name)));
    case 'add-route':
    case 'delete-route':
      return socket.change(messages.encodeRoute(change, indexOf(socket, change.name)));
  }
}

async function withNamespaceFd<T>(path: string, body: (fd: number) => Promise<T>): Promise<T> {
  const fd = openSync(path, 'r');
  try {
    return await body(fd);
  } finally {
    closeSync(fd);
  }
}

function indexOf(socket: NetlinkSocket, name: string): number {
  const body = Buffer.concat([messages.interfaceHeader({}), attribute(messages.IFLA.IFNAME, name)]);
  try {
    const answer = socket.get({ type: messages.LINK.get, flags: 0, body });
    if (answer) return answer.readInt32LE(4);
  } catch (error) {
    if (!(error instanceof NetlinkError) || error.errno !== 'ENODEV') throw error;
  }
  throw notFound(`network interface ${name} does not exist`, { details: { errno: 'ENODEV' } });
}

function parseLink(body: Buffer): Link {
  const attributes = parseAttributes(body.subarray(16));
  const info = parseAttributes(attributes.get(messages.IFLA.LINKINFO) ?? Buffer.alloc(0));
  const number = (type: number) => attributes.get(type)?.readUInt32LE(0) ?? 0;
  return {
    index: body.readInt32LE(4),
    name: text(attributes.get(messages.IFLA.IFNAME)),
    kind: text(info.get(messages.INFO.KIND)),
    master: number(messages.IFLA.MASTER),
    group: number(messages.IFLA.GROUP),
    mac: [...(attributes.get(messages.IFLA.ADDRESS) ?? [])].map((byte) => byte.toString(16).padStart(2, '0')).join(':'),
    mtu: number(messages.IFLA.MTU),
    up: (body.readUInt32LE(8) & messages.IFF_UP) !== 0,
  };
}

function parseRoute(body: Buffer): Route | undefined {
  const family = body[0];
  const attributes = parseAttributes(body.subarray(12));
  const table = attributes.get(messages.RTA.TABLE)?.readUInt32LE(0) ?? body[4];
  if (table !== MAIN_TABLE || body[7] !== UNICAST) return undefined;
  const destination = attributes.get(messages.RTA.DST) ?? Buffer.alloc(family === 2 ? 4 : 16);
  return {
    destination: `${addressText(destination)}/${body[1]}`,
    device: attributes.get(messages.RTA.OIF)?.readUInt32LE(0) ?? 0,
  };
}

function parseAddress(body: Buffer): string[] {
  const attributes = parseAttributes(body.subarray(8));
  const address = attributes.get(messages.IFA.LOCAL) ?? attributes.get(messages.IFA.ADDRESS);
  return address ? [`${addressText(address)}/${body[1]}`] : [];
}

function text(data: Buffer | undefined): string {
  return data ? data.toString('utf8').replace(/\0.*$/, '') : '';
}

function changeFailure(change: LinkChange, errno: string): BerthError {
  const what = 'name' in change ? change.name : change.peerName;
  const message = `${change.op} ${what}: ${errno}`;
  const options = { details: { errno } };
  if (errno === 'EEXIST') return conflict(message, options);
  if (errno === 'ENODEV') return notFound(message, options);
  return unavailable(message, options);
}
