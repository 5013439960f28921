import { isIPv4, isIPv6 } from 'node:net';
import { z } from 'zod';
import { invalid } from '#base';
import type { EndpointRequest } from '#network';
import { goObject, int, stringMap, strings, text } from './go-json.ts';

/** Schema of EndpointSettings in requests. */
export const endpointSchema = goObject({
  IPAMConfig: goObject({ IPv4Address: text, IPv6Address: text, LinkLocalIPs: strings }).optional(),
  Links: strings,
  Aliases: strings,
  DriverOpts: stringMap,
  GwPriority: int,
  MacAddress: text,
});

/** Schema of NetworkingConfig. */
export const networkingSchema = goObject({
  EndpointsConfig: z.record(z.string(), endpointSchema.nullable()).optional(),
});

/** True for six pairs of hex digits between colons or dashes. */
export function isMacAddress(text: string): boolean {
  return /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i.test(text);
}

/** Turns what is asked for one network into the domain's. Throws `invalid` with Docker's texts. */
export function decodeEndpoint(
  network: string,
  wire: z.output<typeof endpointSchema> | null,
): Omit<EndpointRequest, 'network'> {
  const { IPv4Address = '', IPv6Address = '' } = wire?.IPAMConfig ?? {};
  const faults: string[] = [];
  if (IPv4Address && !isIPv4(IPv4Address)) faults.push(`invalid IPv4 address: ${IPv4Address}`);
  if (IPv6Address && !isIPv6(IPv6Address)) faults.push(`invalid IPv6 address: ${IPv6Address}`);
  if (faults.length > 0) {
    throw invalid(`invalid config for network ${network}: invalid endpoint settings:\n* ${faults.join('\n* ')}`);
  }
  const mac = wire?.MacAddress;
  if (mac && !isMacAddress(mac)) throw invalid(`invalid config for network ${network}: invalid MAC address ${mac}`);
  const links = Object.fromEntries(
    (wire?.Links ?? []).map((link) => {
      const [target = '', alias = target] = link.split(':');
      return [alias, target];
    }),
  );
  return {
    ...(IPv4Address ? { ipv4: IPv4Address } : {}),
    ...(IPv6Address ? { ipv6: IPv6Address } : {}),
    ...(mac ? { mac } : {}),
    ...(wire?.Aliases?.length ? { aliases: wire.Aliases } : {}),
    ...(Object.keys(links).length > 0 ? { links } : {}),
    ...(wire?.GwPriority ? { gatewayPriority: wire.GwPriority } : {}),
    ...(wire?.DriverOpts ? { driverOptions: wire.DriverOpts } : {}),
  };
}
