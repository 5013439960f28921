import { forbidden } from '#base';
import type { Network, NetworkRequest } from './network.ts';

/**
 * Refuses what goes together with neither `configOnly` nor `configFrom`. Throws `forbidden` with Docker's texts; harmless
 * for a request that has neither.
 */
export function checkConfiguration(request: NetworkRequest): void {
  if (request.configOnly && (request.ingress || request.internal || request.attachable || request.scope)) {
    throw forbidden(
      'configuration network can only contain network specific fields. Network operator fields like [ ingress | internal | attachable | scope ] are not supported.',
    );
  }
  if (request.configFrom === undefined) return;
  if (request.configOnly) throw forbidden('a configuration network cannot depend on another configuration network');
  const { ipam = { pools: [] }, labels = {}, options = {} } = request;
  const own =
    !['', 'default', undefined].includes(ipam.driver) ||
    ipam.pools.length > 0 ||
    Object.keys(ipam.options ?? {}).length > 0 ||
    Object.keys(labels).length > 0 ||
    request.enableIPv6 === true ||
    request.enableIPv4 === false;
  const rest = 'are not supported if the network depends on a configuration network';
  if (own) throw forbidden(`user specified configurations ${rest}`);
  if (Object.keys(options).length > 0) throw forbidden(`network driver options ${rest}`);
}

/** The request as if it had been made with what a configuration network keeps. */
export function configured(request: NetworkRequest, { labels, options, ipam, ...source }: Network): NetworkRequest {
  return {
    ...request,
    configFrom: source.name,
    labels,
    options,
    ipam: { ...ipam, pools: source.configOnly?.pools ?? [] },
    enableIPv4: source.enableIPv4,
    enableIPv6: source.enableIPv6,
  };
}
