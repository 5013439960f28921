import type { z } from 'zod';
import { invalid } from '#base';
import type { ContainerRequest } from '#engine';
import { configShape, decodeConfig } from './container-config.ts';
import { decodeEndpoint, isMacAddress, networkingSchema } from './endpoint.ts';
import { goObject } from './go-json.ts';
import { decodeHostConfig, hostConfigSchema, networkMode } from './host-config.ts';

/** Schema of POST /containers/create. */
export const containerCreateSchema = goObject({
  ...configShape,
  HostConfig: hostConfigSchema.optional(),
  NetworkingConfig: networkingSchema.optional(),
});

type WireCreate = z.output<typeof containerCreateSchema>;

/** Turns a create request into the domain's. Throws `invalid` with Docker's texts. */
export function decodeContainerCreate(
  wire: WireCreate,
  query: { name: string | undefined; platform: string | undefined },
): ContainerRequest {
  if (!wire.Image) throw invalid('no command specified');
  checkMacAddress(wire);
  return {
    ...(query.name ? { name: query.name.replace(/^\//, '') } : {}),
    image: wire.Image,
    ...(query.platform ? { platform: query.platform } : {}),
    hostname: wire.Hostname ?? '',
    domainname: wire.Domainname ?? '',
    labels: {},
    exposedPorts: [],
    volumes: [],
    ...decodeConfig(wire),
    networkDisabled: wire.NetworkDisabled ?? false,
    ...(wire.MacAddress ? { macAddress: wire.MacAddress } : {}),
    host: decodeHostConfig(wire.HostConfig ?? {}),
    endpoints: decodeEndpoints(wire),
  };
}

function decodeEndpoints(wire: WireCreate): ContainerRequest['endpoints'] {
  return Object.fromEntries(
    Object.entries(wire.NetworkingConfig?.EndpointsConfig ?? {}).map(([key, endpoint]) => {
      const network = networkMode(key);
      return [network, decodeEndpoint(network, endpoint)];
    }),
  );
}

/** Throws `invalid` for a hardware address that is none, naming the network it is for. */
function checkMacAddress(wire: WireCreate): void {
  if (!wire.MacAddress || isMacAddress(wire.MacAddress)) return;
  const network = networkMode(wire.HostConfig?.NetworkMode);
  throw invalid(`invalid config for network ${network}: invalid MAC address ${wire.MacAddress}`);
}
