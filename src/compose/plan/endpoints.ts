import type { EndpointIpamConfig, EndpointSettings, PortBinding, PortMap } from '#api-types';
import type { Project, Service, ServiceNetwork } from '../model/index.ts';

/** Keys of the networks a service is on: highest priority first, then by name. */
function networkKeys(service: Service): string[] {
  const networks = service.networks ?? {};
  const priority = (key: string): number => networks[key]?.priority ?? 0;
  return Object.keys(networks).sort((a, b) => priority(b) - priority(a) || (a < b ? -1 : 1));
}

function endpoint(
  network: ServiceNetwork | null | undefined,
  names: { aliases: string[]; links: string[]; mac?: string | undefined },
): Partial<EndpointSettings> {
  const ipam: EndpointIpamConfig = {
    ...(network?.ipv4_address ? { IPv4Address: network.ipv4_address } : {}),
    ...(network?.ipv6_address ? { IPv6Address: network.ipv6_address } : {}),
    ...(network?.link_local_ips ? { LinkLocalIPs: network.link_local_ips } : {}),
  };
  const driverOptions = {
    ...network?.driver_opts,
    ...(network?.interface_name ? { 'com.docker.network.endpoint.ifname': network.interface_name } : {}),
  };
  return {
    IPAMConfig: Object.keys(ipam).length > 0 ? ipam : null,
    Aliases: [...names.aliases, ...(network?.aliases ?? [])],
    Links: names.links.length > 0 ? names.links : null,
    DriverOpts: Object.keys(driverOptions).length > 0 ? driverOptions : null,
    MacAddress: network?.mac_address ?? names.mac ?? '',
    GwPriority: network?.gw_priority ?? 0,
  };
}

/** Which networks a container joins at its creation, and which of them is its first. */
export function endpointsOf(
  service: Service,
  project: Project,
  names: { readonly aliases: string[]; readonly links: string[] },
): { mode: string; endpoints: Record<string, Partial<EndpointSettings>> } {
  if (service.network_mode) return { mode: service.network_mode, endpoints: {} };
  const keys = networkKeys(service);
  const endpoints: Record<string, Partial<EndpointSettings>> = {};
  for (const [index, key] of keys.entries()) {
    const name = project.networks[key]?.name;
    if (name === undefined) continue;
    endpoints[name] = endpoint(service.networks?.[key], {
      ...names,
      mac: index === 0 ? service.mac_address : undefined,
    });
  }
  const first = project.networks[keys[0] ?? '']?.name;
  return { mode: first ?? 'none', endpoints };
}

/** Ports that are published, as the API takes them. */
export function portBindings(service: Service): PortMap {
  const map: Record<string, PortBinding[]> = {};
  for (const port of service.ports ?? []) {
    const key = `${port.target}/${port.protocol ?? 'tcp'}`;
    map[key] = [...(map[key] ?? []), { HostIp: port.host_ip ?? '', HostPort: port.published ?? '' }];
  }
  return map;
}

/** Ports that are open, published or not. */
export function exposedPorts(service: Service): Record<string, Record<string, never>> | undefined {
  const keys = [
    ...(service.expose ?? []),
    ...(service.ports ?? []).map((port) => `${port.target}/${port.protocol ?? 'tcp'}`),
  ];
  return keys.length === 0 ? undefined : Object.fromEntries(keys.map((key) => [key, {}]));
}
