import type { EndpointSettings } from '#api-types';
import type { Container } from '#engine';

type ContainerNetwork = Container['networks'][string];

/** A container's place on one network as inspect and lists show it; empty fields while it does not run. */
function encodeEndpoint(network: ContainerNetwork): EndpointSettings {
  const { request, active } = network;
  const asked = {
    ...(request.ipv4 === undefined ? {} : { IPv4Address: request.ipv4 }),
    ...(request.ipv6 === undefined ? {} : { IPv6Address: request.ipv6 }),
  };
  const links = Object.entries(request.links ?? {}).map(([alias, target]) => `${target}:${alias}`);
  return {
    IPAMConfig: Object.keys(asked).length > 0 ? asked : null,
    Links: links.length > 0 ? links : null,
    Aliases: request.aliases?.length ? [...request.aliases] : null,
    MacAddress: active?.mac ?? request.mac ?? '',
    DriverOpts: request.driverOptions ? { ...request.driverOptions } : null,
    GwPriority: request.gatewayPriority ?? 0,
    NetworkID: active?.networkId ?? network.networkId ?? '',
    EndpointID: active?.id ?? '',
    Gateway: active?.ipv4?.gateway ?? '',
    IPAddress: active?.ipv4?.address ?? '',
    IPPrefixLen: active?.ipv4?.prefix ?? 0,
    IPv6Gateway: active?.ipv6?.gateway ?? '',
    GlobalIPv6Address: active?.ipv6?.address ?? '',
    GlobalIPv6PrefixLen: active?.ipv6?.prefix ?? 0,
    DNSNames: active && active.dnsNames.length > 0 ? [...active.dnsNames] : null,
  };
}

/** All networks of a container by name. */
export function encodeNetworks(container: Container): Record<string, EndpointSettings> {
  return Object.fromEntries(
    Object.entries(container.networks).map(([name, network]) => [name, encodeEndpoint(network)]),
  );
}
