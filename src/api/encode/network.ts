import type { EndpointResource, NetworkInspect } from '#api-types';
import type { Network, Networks } from '#network';
import { formatTime } from './time.ts';

type NetworkEndpoints = Awaited<ReturnType<Networks['endpoints']>>;

/** A network as GET /networks/{id} shows it; lists pass no endpoints. */
export function encodeNetwork(network: Network, endpoints: NetworkEndpoints = []): NetworkInspect {
  const predefined = network.driver === 'host' || network.driver === 'null';
  return {
    Name: network.name,
    Id: network.id,
    Created: formatTime(network.createdAt),
    Scope: 'local',
    Driver: network.driver,
    EnableIPv4: network.enableIPv4,
    EnableIPv6: network.enableIPv6,
    IPAM: {
      Driver: network.ipam.driver || 'default',
      Options: predefined || network.name === 'bridge' ? null : { ...network.ipam.options },
      Config: network.ipam.pools.map((pool) => ({
        Subnet: pool.subnet,
        ...(pool.range === undefined ? {} : { IPRange: pool.range }),
        ...(pool.gateway === undefined ? {} : { Gateway: pool.gateway }),
        ...(pool.auxAddresses === undefined ? {} : { AuxiliaryAddresses: { ...pool.auxAddresses } }),
      })),
    },
    Internal: network.internal,
    Attachable: network.attachable,
    Ingress: false,
    ConfigFrom: { Network: '' },
    ConfigOnly: false,
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
