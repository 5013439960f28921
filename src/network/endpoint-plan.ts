import { conflict, forbidden, invalid, newId, shortId } from '#base';
import type { NetworkDriver } from './driver.ts';
import { contains, parseAddress, parseSubnet } from './ip.ts';
import type { Ipam } from './ipam.ts';
import type { Endpoint, EndpointRequest, Network, SandboxOwner } from './network.ts';
import type { EndpointRecord } from './sandbox-records.ts';

/** A request with the network that it names. */
export interface ResolvedEndpoint {
  readonly request: EndpointRequest;
  readonly network: Network;
  readonly driver: NetworkDriver;
}

/** What an endpoint is made with, besides the request. */
export interface EndpointPlan {
  readonly owner: SandboxOwner;
  readonly ipam: Ipam;
  readonly interfaceName: string;
  readonly hostLink: string;
}

/** Checks that make no change. Throws `invalid` or `forbidden` with Docker's texts. */
export function checkEndpoint(resolved: ResolvedEndpoint, userSubnet: boolean): void {
  const { request, network, driver } = resolved;
  const userDefined = driver.addressed && network.name !== 'bridge';
  const faults = [request.ipv4, request.ipv6].some((address) => address !== undefined)
    ? addressFaults(resolved, { userDefined, userSubnet })
    : [];
  if (request.mac !== undefined && !/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(request.mac)) {
    faults.push(`invalid MAC address: ${request.mac}`);
  }
  const [fault] = faults;
  if (fault !== undefined) {
    const list = faults.length > 1 ? `* ${faults.join('\n* ')}` : fault;
    throw invalid(`invalid endpoint settings:\n${list}`);
  }
  if (request.aliases?.length && !userDefined) {
    throw invalid('network-scoped aliases are only supported for user-defined networks');
  }
}

/** What is wrong with the addresses asked for. Gives Docker's texts. */
function addressFaults(
  { request, network }: ResolvedEndpoint,
  { userDefined, userSubnet }: { userDefined: boolean; userSubnet: boolean },
): string[] {
  const faults: string[] = [];
  if (!userDefined) faults.push('user specified IP address is supported on user defined networks only');
  const subnets = network.ipam.pools.map((pool) => parseSubnet(pool.subnet));
  for (const [text, family] of [
    [request.ipv4, 4],
    [request.ipv6, 6],
  ] as const) {
    if (text === undefined) continue;
    const own = subnets.filter((subnet) => subnet.family === family);
    if (userDefined && (!userSubnet || own.length === 0)) {
      faults.push(
        'user specified IP address is supported only when connecting to networks with user configured subnets',
      );
    } else if (!own.some((subnet) => contains(subnet, parseAddress(text)))) {
      faults.push(`no configured subnet or ip-range contain the IP address ${text}`);
    }
  }
  return faults;
}

/** Refuses networks that nobody can be on. Throws `forbidden` with Docker's text. */
export function checkPlaces(resolved: readonly ResolvedEndpoint[]): void {
  if (resolved.some(({ network }) => network.configOnly)) {
    throw forbidden('cannot create endpoint on configuration-only network');
  }
}

/** Checks how networks go together in one sandbox. Throws `forbidden` or `conflict` with Docker's texts. */
export function checkTogether(resolved: readonly ResolvedEndpoint[]): void {
  if (resolved.length < 2) return;
  if (resolved.some(({ driver }) => driver.shares === 'host')) {
    throw forbidden('cannot connect container to host network - container must be created in host network mode');
  }
  if (resolved.some(({ driver, network }) => driver.name === 'null' && !network.configOnly)) {
    throw forbidden(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
  }
  const ids = resolved.map(({ network }) => network.id);
  const twice = resolved.find(({ network }, at) => ids.indexOf(network.id) !== at);
  if (twice) throw conflict(`network ${twice.network.name} is given twice`);
}

/** Takes addresses and writes down the endpoint. Call it inside the transaction that stores the sandbox. */
export function planEndpoint(resolved: ResolvedEndpoint, plan: EndpointPlan): EndpointRecord {
  const { request, network, driver } = resolved;
  const { owner, ipam } = plan;
  const place = (family: 4 | 6, wanted: string | undefined) => {
    const address = ipam.allocate(network, { family, owner: owner.id, wanted });
    const pool = network.ipam.pools.find((candidate) => parseSubnet(candidate.subnet).family === family);
    return {
      address,
      prefix: pool ? parseSubnet(pool.subnet).prefix : 0,
      ...(pool?.gateway !== undefined && !network.internal && !driver.routesByDevice(network)
        ? { gateway: pool.gateway }
        : {}),
    };
  };
  const names =
    driver.addressed && network.name !== 'bridge'
      ? [...new Set([owner.name, ...(request.aliases ?? []), shortId(owner.id), owner.hostname])]
      : [];
  const ipv4 = driver.addressed && network.enableIPv4 ? place(4, request.ipv4) : undefined;
  const ipv6 = driver.addressed && network.enableIPv6 ? place(6, request.ipv6) : undefined;
  const address = ipv4?.address ?? ipv6?.address;
  const endpoint: Endpoint = {
    id: newId(),
    networkId: network.id,
    networkName: network.name,
    mac: address === undefined || !driver.hardwareAddresses ? '' : (request.mac?.toLowerCase() ?? macOf(address)),
    ...(ipv4 ? { ipv4 } : {}),
    ...(ipv6 ? { ipv6 } : {}),
    aliases: request.aliases ?? [],
    dnsNames: names.filter((name) => name !== ''),
    interfaceName: driver.addressed ? plan.interfaceName : '',
  };
  return { request, endpoint, hostLink: driver.bridged ? plan.hostLink : '' };
}

/** The endpoint that the default route of a family goes through: highest priority, then network name. */
export function gatewayEndpoint(records: readonly EndpointRecord[], family: 4 | 6): Endpoint | undefined {
  const withGateway = records.filter(
    ({ endpoint }) => (family === 4 ? endpoint.ipv4 : endpoint.ipv6)?.gateway !== undefined,
  );
  const [best] = withGateway.sort(
    (a, b) =>
      (b.request.gatewayPriority ?? 0) - (a.request.gatewayPriority ?? 0) ||
      (a.endpoint.networkName < b.endpoint.networkName ? -1 : 1),
  );
  return best?.endpoint;
}

/**
 * A MAC that follows from the address (locally administered, unicast): whoever gets an address after another has the same
 * MAC, so no neighbour's ARP or ND cache ever points to one that is gone.
 */
export function macOf(address: string): string {
  const low = parseAddress(address).value & 0xffffffffn;
  return `02:62:${(low.toString(16).padStart(8, '0').match(/../g) ?? []).join(':')}`;
}
