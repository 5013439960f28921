import { isIPv4, isIPv6 } from 'node:net';
import { invalid } from '#base';

/** 4 or 6. */
export type Family = 4 | 6;

/** An IP address as a number, so that ranges can be walked and compared. */
export interface Address {
  readonly family: Family;
  readonly value: bigint;
}

/** A block of addresses: all that share the first `prefix` bits of `value`. */
export interface Subnet {
  readonly family: Family;
  /** The first address; host bits are 0. */
  readonly value: bigint;
  readonly prefix: number;
}

const width = (family: Family): number => (family === 4 ? 32 : 128);

/** Reads an address. Throws `invalid` ("X is not a valid IP address"). */
export function parseAddress(text: string): Address {
  if (isIPv4(text)) {
    return { family: 4, value: text.split('.').reduce((sum, part) => sum * 256n + BigInt(part), 0n) };
  }
  if (!isIPv6(text) || text.includes('%')) throw invalid(`invalid IP address: ${text}`);
  const dotted = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  let plain = text;
  if (dotted) {
    const low = parseAddress(dotted[2] ?? '').value;
    plain = `${dotted[1]}${(low >> 16n).toString(16)}:${(low & 0xffffn).toString(16)}`;
  }
  const [head = '', tail] = plain.split('::');
  const words = (part: string) => (part === '' ? [] : part.split(':'));
  const front = words(head);
  const back = tail === undefined ? [] : words(tail);
  const all = [...front, ...Array<string>(8 - front.length - back.length).fill('0'), ...back];
  return { family: 6, value: all.reduce((sum, word) => sum * 65536n + BigInt(`0x${word}`), 0n) };
}

/** Writes an address; IPv6 in the short form of RFC 5952. */
export function formatAddress(address: Address): string {
  const { family, value } = address;
  if (family === 4) return [24n, 16n, 8n, 0n].map((shift) => (value >> shift) & 255n).join('.');
  const words = Array.from({ length: 8 }, (_, at) => Number((value >> BigInt(112 - at * 16)) & 0xffffn));
  let best = { at: -1, length: 1 };
  for (let at = 0; at < 8; at++) {
    let length = 0;
    while (at + length < 8 && words[at + length] === 0) length++;
    if (length > best.length) best = { at, length };
  }
  const hex = (part: number[]) => part.map((word) => word.toString(16)).join(':');
  if (best.at === -1) return hex(words);
  return `${hex(words.slice(0, best.at))}::${hex(words.slice(best.at + best.length))}`;
}

/** Reads `ADDRESS/PREFIX`, clearing host bits. Throws `invalid` with Docker's words. */
export function parseSubnet(text: string): Subnet {
  const { address, prefix } = parseCidr(text);
  return { family: address.family, value: mask(address, prefix), prefix };
}

/** Reads `ADDRESS/PREFIX` and keeps the address whole. Throws `invalid`. */
export function parseCidr(text: string): { address: Address; prefix: number } {
  const match = /^(.+)\/(\d{1,3})$/.exec(text);
  const family = match ? (isIPv4(match[1] ?? '') ? 4 : isIPv6(match[1] ?? '') ? 6 : 0) : 0;
  const prefix = Number(match?.[2]);
  if (match === null || family === 0 || prefix > width(family)) {
    throw invalid(`invalid subnet ${text}: invalid CIDR block notation`);
  }
  return { address: parseAddress(match[1] ?? ''), prefix };
}

/** Writes `ADDRESS/PREFIX`. */
export function formatSubnet(subnet: Subnet): string {
  return `${formatAddress(subnet)}/${subnet.prefix}`;
}

/** First and last address of a block, as numbers. */
export function bounds(subnet: Subnet): { first: bigint; last: bigint } {
  return { first: subnet.value, last: subnet.value + (1n << BigInt(width(subnet.family) - subnet.prefix)) - 1n };
}

/** True when the blocks share an address. */
export function overlaps(a: Subnet, b: Subnet): boolean {
  if (a.family !== b.family) return false;
  const [x, y] = [bounds(a), bounds(b)];
  return x.first <= y.last && y.first <= x.last;
}

/** True when `address` is in `subnet`. */
export function contains(subnet: Subnet, address: Address): boolean {
  return address.family === subnet.family && mask(address, subnet.prefix) === subnet.value;
}

/** The name that a PTR query asks with: `4.3.2.1.in-addr.arpa`, or the nibbles under `ip6.arpa`. */
export function reverseName(address: Address): string {
  if (address.family === 4) return `${formatAddress(address).split('.').reverse().join('.')}.in-addr.arpa`;
  return `${[...address.value.toString(16).padStart(32, '0')].reverse().join('.')}.ip6.arpa`;
}

function mask(address: Address, prefix: number): bigint {
  const shift = BigInt(width(address.family) - prefix);
  return (address.value >> shift) << shift;
}
