import { isIPv4, isIPv6 } from 'node:net';
import { addressBytes, addressText, invalid } from '#base';

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

/** Reads an address. Throws `invalid`, for an address with a zone too. */
export function parseAddress(text: string): Address {
  if (text.includes('%')) throw invalid(`invalid IP address: ${text}`);
  const bytes = addressBytes(text);
  return { family: bytes.length === 4 ? 4 : 6, value: BigInt(`0x${bytes.toString('hex')}`) };
}

/** Writes an address; IPv6 in the short form of RFC 5952. */
export function formatAddress(address: Address): string {
  const digits = width(address.family) / 4;
  return addressText(Buffer.from(address.value.toString(16).padStart(digits, '0'), 'hex'));
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
