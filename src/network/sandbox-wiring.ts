import type { Attachment } from './driver.ts';
import { gatewayEndpoint } from './endpoint-plan.ts';
import type { Endpoint } from './network.ts';
import type { PortTargets } from './published-ports.ts';
import type { EndpointRecord, SandboxRecord } from './sandbox-records.ts';

/** Where the published ports of a sandbox lead: the endpoints that its default routes go through. */
export function portTargets(record: SandboxRecord): PortTargets {
  const bridged = bridgedEndpoints(record);
  return {
    ipv4: gatewayEndpoint(bridged, 4)?.ipv4?.address,
    ipv6: gatewayEndpoint(bridged, 6)?.ipv6?.address,
  };
}

/** The endpoint whose network says how ports are published; undefined where none can be. */
export function publishingEndpoint(record: SandboxRecord): Endpoint | undefined {
  const bridged = bridgedEndpoints(record);
  return gatewayEndpoint(bridged, 4) ?? gatewayEndpoint(bridged, 6);
}

/** One endpoint of a sandbox as its driver makes and unmakes it; `ready` when its veth pair is there already. */
export function attachment(
  record: SandboxRecord,
  { endpoint, hostLink }: EndpointRecord,
  { ready }: { ready: boolean },
): Attachment {
  const addresses = [endpoint.ipv4, endpoint.ipv6].flatMap((place) =>
    place === undefined ? [] : [`${place.address}/${place.prefix}`],
  );
  const { interfaceName, mac } = endpoint;
  const publishes = record.ports.length + (record.awaited?.length ?? 0) > 0;
  return { netns: record.netns, interfaceName, hostLink, mac, addresses, ready, publishes };
}

function bridgedEndpoints(record: SandboxRecord): EndpointRecord[] {
  return record.endpoints.filter(({ hostLink }) => hostLink !== '');
}
