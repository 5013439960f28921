import type { EndpointResource, IpamConfig, NetworkInspect } from '#api-types';
import { type IpamPool, isCustom, type Network, type Networks } from '#network';
import { formatTime } from './time.ts';

type NetworkEndpoints = Awaited<ReturnType<Networks['endpoints']>>;

/** A network as GET /networks/{id} shows it; lists pass no endpoints. */
export function encodeNetwork(network: Network, endpoints: NetworkEndpoints = []): NetworkInspect {
  const pools = network.configOnly?.pools ?? network.ipam.pools;
  return {
    Name: network.name,
    Id: network.id,
    Created: formatTime(network.createdAt),
    Scope: network.scope || 'local',
    Driver: network.driver,
    EnableIPv4: network.enableIPv4,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: network.ipam.driver || 'default',
      Options: !isCustom(network) ? null : { ...network.ipam.options },
      Config: pools.length === 0 ? null : pools.map(encodePool),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: network.configFrom ?? '' },
    ConfigOnly: network.configOnly !== undefined,
    Containers: Object.fromEntries(
      endpoints.map(({ owner, endpoint }): [string, EndpointResource] => [
        owner.id,
        {
          Name: owner.name,
          EndpointID: endpoint.id,
          MacAddress: endpoint.mac,
          IPv4Address: endpoint.ipv4 ? `${endpoint.ipv4.address}/${endpoint.ipv4.prefix}` : '',
          IPv6Address: endpoint.ipv6 ? `${endpoint.ipv6.address}/${endpoint.ipv6.prefix}` : '',
        },
      ]),
    ),
    Options: { ...network.options },
    Labels: { ...network.labels },
  };
}

function encodePool(pool: Partial<IpamPool>): IpamConfig {
  return {
    ...(pool.subnet === undefined ? {} : { Subnet: pool.subnet }),
    ...(pool.range === undefined ? {} : { IPRange: pool.range }),
    ...(pool.gateway === undefined ? {} : { Gateway: pool.gateway }),
    ...(pool.auxAddresses === undefined ? {} : { AuxiliaryAddresses: { ...pool.auxAddresses } }),
  };
}
