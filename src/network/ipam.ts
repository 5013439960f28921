import { conflict, invalid, messageOf, unavailable } from '#base';
import type { Database } from '#metadata';
import {
  type Address,
  bounds,
  contains,
  type Family,
  formatAddress,
  formatSubnet,
  overlaps,
  parseAddress,
  parseCidr,
  parseSubnet,
  type Subnet,
} from './ip.ts';
import type { IpamPool, Network } from './network.ts';

/** A block of addresses from which networks get theirs, `size` being the prefix length of each. */
export interface AddressPool {
  /** CIDR. */
  readonly base: string;
  readonly size: number;
}

/**
 * Where networks without a subnet of their own get one: Docker's ranges, cut so that 2,000 networks fit, and
 * a further one for hosts whose own routes cover much of these. The first /16 is
 * asked for by the default bridge.
 */
export const defaultAddressPools: readonly AddressPool[] = [
  { base: '172.18.0.0/15', size: 23 },
  { base: '172.20.0.0/14', size: 23 },
  { base: '172.24.0.0/13', size: 23 },
  { base: '192.168.0.0/16', size: 24 },
  { base: '10.192.0.0/10', size: 24 },
];

/** The owner of an address that the network itself keeps: gateway and aux addresses. */
const KEPT = '';

/** Address management: which subnets and addresses are in use, durable in the database. */
export class Ipam {
  readonly #database: Database;
  readonly #pools: readonly { base: Subnet; size: number }[];

  constructor(database: Database, pools: readonly AddressPool[] = defaultAddressPools) {
    this.#database = database;
    this.#pools = pools.map(({ base, size }) => {
      const subnet = parseSubnet(base);
      if (size < subnet.prefix) throw invalid(`address pool ${base}: size ${size} is larger than the pool`);
      return { base: subnet, size };
    });
  }

  /**
   * The lowest block of the pools that overlaps none of `taken` (subnets of networks, routes of the host).
   * Throws `unavailable` with Docker's text when all are in use.
   */
  freeSubnet(family: Family, taken: readonly Subnet[], pools = this.#pools): Subnet {
    const busy = taken
      .filter((other) => other.family === family)
      .map(bounds)
      .sort((a, b) => (a.first < b.first ? -1 : 1));
    for (const { base, size } of pools) {
      if (base.family !== family) continue;
      const block = firstGap(base, size, busy);
      if (block) return block;
    }
    throw unavailable('all predefined address pools have been fully subnetted');
  }

  /** Completes a pool as users give it: subnet checked, gateway chosen. Throws `invalid` with Docker's texts. */
  complete(pool: Partial<IpamPool>, subnet: Subnet): IpamPool {
    const range = pool.range === undefined ? undefined : parseSubnet(pool.range);
    if (range && !overlaps(range, subnet)) throw invalid(`no matching subnet for range ${pool.range}`);
    const gateway = pool.gateway === undefined ? firstUsable(range ?? subnet, subnet) : readAddress(pool.gateway);
    if (!contains(subnet, gateway)) throw invalid(`no matching subnet for gateway ${pool.gateway}`);
    for (const [name, address] of Object.entries(pool.auxAddresses ?? {})) {
      if (!contains(subnet, readAddress(address))) throw invalid(`no matching subnet for aux-address ${address}`);
      if (formatAddress(readAddress(address)) === formatAddress(gateway)) {
        throw conflict(`failed to allocate secondary ip address (${name}:${address}): Address already in use`);
      }
    }
    return {
      subnet: formatSubnet(subnet),
      gateway: formatAddress(gateway),
      ...(range ? { range: formatSubnet(range) } : {}),
      ...(pool.auxAddresses ? { auxAddresses: pool.auxAddresses } : {}),
    };
  }

  /** Takes what a new network keeps for itself. Call it inside the transaction that records the network. */
  keep(network: Network): void {
    for (const pool of network.ipam.pools) {
      const kept = [pool.gateway, ...Object.values(pool.auxAddresses ?? {})];
      for (const address of kept) if (address !== undefined) this.#insert(network.id, address, KEPT);
    }
  }

  /**
   * Takes an address for `owner`: the wanted one, or the lowest free one of the family's first pool that has one.
   * Throws `conflict` "Address already in use", `invalid` for one outside, `unavailable` when none is left.
   */
  allocate(network: Network, request: { family: Family; owner: string; wanted?: string | undefined }): string {
    const pools = network.ipam.pools.filter((pool) => parseSubnet(pool.subnet).family === request.family);
    if (request.wanted !== undefined) {
      const address = readAddress(request.wanted);
      if (!pools.some((pool) => contains(parseSubnet(pool.subnet), address))) {
        throw invalid(
          `invalid endpoint settings:\nno configured subnet or ip-range contain the IP address ${request.wanted}`,
        );
      }
      if (!this.#insert(network.id, formatAddress(address), request.owner)) {
        throw conflict('Address already in use', { details: { address: request.wanted, network: network.name } });
      }
      return formatAddress(address);
    }
    const rows = this.#database.all<{ address: string }>(
      'SELECT address FROM network_addresses WHERE network_id = ?',
      network.id,
    );
    const used = new Set(rows.map((row) => row.address));
    for (const pool of pools) {
      const free = lowestFree(parseSubnet(pool.range ?? pool.subnet), parseSubnet(pool.subnet), used);
      if (free === undefined) continue;
      this.#insert(network.id, free, request.owner);
      return free;
    }
    throw unavailable(`no available IPv${request.family} addresses on this network's address pools: ${network.name}`);
  }

  /** Gives back one address, or all that `owner` has (on every network). Harmless when repeated. */
  release(owner: string, networkId?: string): void {
    if (networkId === undefined) this.#database.run('DELETE FROM network_addresses WHERE owner = ?', owner);
    else this.#database.run('DELETE FROM network_addresses WHERE owner = ? AND network_id = ?', owner, networkId);
  }

  #insert(networkId: string, address: string, owner: string): boolean {
    const sql = 'INSERT INTO network_addresses (network_id, address, owner) VALUES (?, ?, ?) ON CONFLICT DO NOTHING';
    return this.#database.run(sql, networkId, address, owner).changes === 1;
  }
}

/** Checks a subnet as a user wrote it. Throws `invalid` with Docker's texts. */
export function readSubnet(text: string): Subnet {
  try {
    const { address } = parseCidr(text);
    const subnet = parseSubnet(text);
    if (address.value !== subnet.value) throw invalid(`invalid subnet ${text}: it should be ${formatSubnet(subnet)}`);
    return subnet;
  } catch (error) {
    throw invalid(`invalid network config:\n${messageOf(error)}`, { cause: error });
  }
}

function readAddress(text: string): Address {
  return parseAddress(text.split('/')[0] ?? text);
}

/** A subnet's own address and, for IPv4, its broadcast address are nobody's; /31 and /32 have neither (RFC 3021). */
function usable(subnet: Subnet): { first: bigint; last: bigint } {
  const { first, last } = bounds(subnet);
  if (subnet.family === 4 && subnet.prefix >= 31) return { first, last };
  return { first: first + 1n, last: subnet.family === 4 ? last - 1n : last };
}

function firstUsable(range: Subnet, subnet: Subnet): Address {
  const inner = usable(subnet);
  const { first } = bounds(range);
  return { family: subnet.family, value: larger(first, inner.first) };
}

function lowestFree(range: Subnet, subnet: Subnet, used: ReadonlySet<string>): string | undefined {
  const inner = usable(subnet);
  const outer = bounds(range);
  const last = smaller(outer.last, inner.last);
  for (let value = larger(outer.first, inner.first); value <= last; value++) {
    const text = formatAddress({ family: subnet.family, value });
    if (!used.has(text)) return text;
  }
  return undefined;
}

function larger(a: bigint, b: bigint): bigint {
  return a >= b ? a : b;
}

function smaller(a: bigint, b: bigint): bigint {
  return a >= b ? b : a;
}

/** The lowest block of `size` bits in `base` that touches none of `busy` (sorted by first address). */
function firstGap(base: Subnet, size: number, busy: readonly { first: bigint; last: bigint }[]): Subnet | undefined {
  const step = 1n << BigInt((base.family === 4 ? 32 : 128) - size);
  const { first, last } = bounds(base);
  let value = first;
  for (const other of busy) {
    if (other.last < value) continue;
    if (other.first > value + step - 1n) break;
    value = (other.last / step + 1n) * step;
  }
  return value + step - 1n <= last ? { family: base.family, value, prefix: size } : undefined;
}
