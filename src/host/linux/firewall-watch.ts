import type { Socket } from 'node:net';
import koffi from 'koffi';
import { unavailable } from '#base';
import type { FirewallChange } from '../firewall.ts';
import { NETLINK_NETFILTER, parseAttributes } from './netlink.ts';
import { wrapDescriptor } from './pipe-handle.ts';
import { errnoName, socketCalls } from './socket-calls.ts';

// linux/netlink.h, linux/netfilter/nfnetlink.h, linux/netfilter/nf_tables.h
const AF_NETLINK = 16;
const SOCK_RAW_CLOEXEC_NONBLOCK = 3 | 0o2000000 | 0o4000;
/** Bit of the multicast group NFNLGRP_NFTABLES (7; groups count from 1). */
const GROUPS = 1 << 6;
const NFNL_SUBSYS_NFTABLES = 10;
const HEADER = 16;
const NFGENMSG = 4;
/** The attribute that names the table: 1 in messages about tables, chains and rules alike. */
const TABLE_NAME = 1;
/** Message types of interest, and whether each takes something away. */
const MESSAGES: ReadonlyMap<number, boolean> = new Map([
  [0, false], // NFT_MSG_NEWTABLE
  [2, true], // NFT_MSG_DELTABLE
  [3, false], // NFT_MSG_NEWCHAIN
  [5, true], // NFT_MSG_DELCHAIN
  [6, false], // NFT_MSG_NEWRULE
  [8, true], // NFT_MSG_DELRULE
]);
/** NFPROTO numbers (linux/netfilter.h) by nft's words. */
const FAMILIES: Readonly<Record<number, string>> = {
  1: 'inet',
  2: 'ip',
  3: 'arp',
  5: 'netdev',
  7: 'bridge',
  10: 'ip6',
};

/** The kernel's reports of changes to nftables (nftables' netlink multicast group), read by the event loop as they come. */
export class FirewallWatch implements Disposable {
  readonly #listener: (change: FirewallChange) => void;
  #socket: Socket | undefined;

  constructor(listener: (change: FirewallChange) => void) {
    this.#listener = listener;
    this.#open();
  }

  [Symbol.dispose](): void {
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
  }

  #open(): void {
    const socket = wrapDescriptor(subscribe(), { writable: false });
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      for (const change of parseChanges(chunk)) this.#listener(change);
    });
    // ENOBUFS: more was reported than the socket held. The socket is of no further use to libuv.
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#open();
      this.#listener({ kind: 'lost', table: '', removed: true });
    });
    socket.unref();
  }
}

/** The changes in one datagram of the group. Repetitions are left out. */
function parseChanges(chunk: Buffer): FirewallChange[] {
  const found = new Map<string, FirewallChange>();
  for (let at = 0; at + HEADER + NFGENMSG <= chunk.length; ) {
    const length = chunk.readUInt32LE(at);
    if (length < HEADER + NFGENMSG) break;
    const type = chunk.readUInt16LE(at + 4);
    const removed = type >> 8 === NFNL_SUBSYS_NFTABLES ? MESSAGES.get(type & 0xff) : undefined;
    if (removed !== undefined) {
      const family = FAMILIES[chunk[at + HEADER] ?? 0] ?? '';
      const name = parseAttributes(chunk.subarray(at + HEADER + NFGENMSG, at + length)).get(TABLE_NAME);
      const table = `${family} ${name?.toString('utf8').replace(/\0.*$/, '') ?? ''}`;
      found.set(`${table} ${removed}`, { kind: 'rules', table, removed });
    }
    at += (length + 3) & ~3;
  }
  return [...found.values()];
}

/** A netlink socket that is a member of the group, in the network namespace of the calling thread (netlink(7)). */
function subscribe(): number {
  const fd = socketCalls.socket(AF_NETLINK, SOCK_RAW_CLOEXEC_NONBLOCK, NETLINK_NETFILTER);
  if (fd === -1) throw unavailable(`open a netlink socket: ${errnoName(koffi.errno())}`);
  const address = Buffer.alloc(12);
  address.writeUInt16LE(AF_NETLINK, 0);
  address.writeUInt32LE(GROUPS, 8);
  if (socketCalls.bind(fd, address, address.length) === -1) {
    const errno = errnoName(koffi.errno());
    socketCalls.close(fd);
    throw unavailable(`subscribe to changes of nftables: ${errno}`);
  }
  return fd;
}
