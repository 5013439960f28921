import { closeSync, openSync } from 'node:fs';
import { addressText, type BerthError, conflict, notFound, unavailable } from '#base';
import type { NetworkNamespaces } from '../host.ts';
import type { Link, LinkChange, Links, Route } from '../links.ts';
import { LinkDeletions } from './link-deletions.ts';
import * as messages from './link-messages.ts';
import { NetlinkError, type NetlinkRequest, NetlinkSocket, parseAttributes } from './netlink.ts';

const MAIN_TABLE = 254;
const UNICAST = 1;

/**
 * Links through rtnetlink(7) sockets: about 0.1 ms a change, where `ip -batch -` costs 2.3 ms for its process alone. The
 * kernel works on pool threads, since one lock covers all of them and a deletion holds it for milliseconds.
 */
export function createLinks(namespaces: Pick<NetworkNamespaces, 'enter'>): Links {
  const deletions = new LinkDeletions();
  const open = (netns?: string) =>
    netns === undefined ? new NetlinkSocket() : namespaces.enter(netns, () => new NetlinkSocket());
  return {
    async list(netns) {
      using socket = open(netns);
      const body = messages.interfaceHeader({});
      return (await socket.dump({ type: messages.LINK.get, flags: 0, body })).map(parseLink);
    },
    async routes(netns) {
      using socket = open(netns);
      const bodies = await socket.dump({ type: messages.ROUTE.get, flags: 0, body: Buffer.alloc(12) });
      return bodies.map(parseRoute).filter((route): route is Route => route !== undefined);
    },
    async addresses(name, netns) {
      using socket = open(netns);
      const index = socket.indexOf(name);
      if (index === undefined) throw unknownLink(name);
      const bodies = await socket.dump({ type: messages.ADDRESS.get, flags: 0, body: Buffer.alloc(8) });
      return bodies.filter((body) => body.readUInt32LE(4) === index).flatMap(parseAddress);
    },
    async apply(changes, netns) {
      using socket = open(netns);
      const batch = new Batch(socket, netns === undefined ? deletions : undefined);
      for (const change of changes) await batch.add(change);
      await batch.flush();
    },
  };
}

/** Gathers changes and sends as many at once as do not depend on each other's new names. */
class Batch {
  readonly #socket: NetlinkSocket;
  /** Undefined in another namespace, where a deletion is a request like others. */
  readonly #deletions: LinkDeletions | undefined;
  #pending: { change: LinkChange; request: NetlinkRequest }[] = [];

  constructor(socket: NetlinkSocket, deletions: LinkDeletions | undefined) {
    this.#socket = socket;
    this.#deletions = deletions;
  }

  async add(change: LinkChange): Promise<void> {
    switch (change.op) {
      case 'add-bridge':
        return this.#push(change, messages.addBridge(change));
      case 'add-veth':
        return withNamespaceFd(change.peerNetns, (fd) => this.#now(change, messages.addVeth(change, fd)));
      case 'add-macvlan': {
        const parent = await this.#index(change.parent);
        return withNamespaceFd(change.peerNetns, (fd) => this.#now(change, messages.addMacvlan(change, fd, parent)));
      }
      case 'add-ipvlan': {
        const parent = await this.#index(change.parent);
        return withNamespaceFd(change.peerNetns, (fd) => this.#now(change, messages.addIpvlan(change, fd, parent)));
      }
      case 'add-dummy':
        return this.#push(change, messages.addDummy(change));
      case 'add-vlan':
        return this.#push(change, messages.addVlan(change, await this.#index(change.parent)));
      case 'set': {
        const index = await this.#index(change.name);
        const master = change.master ? await this.#index(change.master) : change.master === '' ? 0 : undefined;
        return this.#push(change, messages.setLink(change, index, master));
      }
      case 'delete':
        await this.flush();
        return this.#deletions?.delete(change.name) ?? this.#now(change, messages.deleteLink(change));
      case 'add-address':
      case 'delete-address':
        return this.#push(change, messages.encodeAddress(change, await this.#index(change.name)));
      case 'add-route':
      case 'delete-route':
        return this.#push(change, messages.encodeRoute(change, await this.#index(change.name)));
    }
  }

  async flush(): Promise<void> {
    const pending = this.#pending;
    this.#pending = [];
    if (pending.length === 0) return;
    try {
      await this.#socket.change(pending.map(({ request }) => request));
    } catch (error) {
      if (!(error instanceof NetlinkError)) throw error;
      const change = pending[error.at]?.change;
      if (change?.op === 'delete' && error.errno === 'ENODEV') return;
      throw changeFailure(change, error.errno);
    }
  }

  #push(change: LinkChange, request: NetlinkRequest): void {
    this.#pending.push({ change, request });
  }

  /** For a request that holds a descriptor, or must not wait for later ones. */
  #now(change: LinkChange, request: NetlinkRequest): Promise<void> {
    this.#push(change, request);
    return this.flush();
  }

  async #index(name: string): Promise<number> {
    let index = this.#socket.indexOf(name);
    if (index === undefined && this.#pending.length > 0) {
      await this.flush();
      index = this.#socket.indexOf(name);
    }
    if (index === undefined) throw unknownLink(name);
    return index;
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

function unknownLink(name: string): BerthError {
  return notFound(`network interface ${name} does not exist`, { details: { errno: 'ENODEV' } });
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

function changeFailure(change: LinkChange | undefined, errno: string): BerthError {
  const what = change === undefined ? '' : 'name' in change ? change.name : change.peerName;
  const message = `${change?.op} ${what}: ${errno}`;
  const options = { details: { errno } };
  if (errno === 'EEXIST') return conflict(message, options);
  if (errno === 'ENODEV') return notFound(message, options);
  return unavailable(message, options);
}
