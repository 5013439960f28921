import { invalid } from '#base';
import type { Network, NetworkRequest, PortRequest } from './network.ts';

/**
 * How a bridge network is connected with what is outside of it (Docker's gateway modes).
 *
 * - `nat`: packets that leave get the host's address; published ports are translated from ports of the host.
 * - `nat-unprotected`: likewise, and who has a route to the network reaches every port of its containers.
 * - `routed`: nothing is translated; who has a route to the network reaches published ports at the container's address.
 * - `isolated`: the host has no address on the network, so nothing leads out. Internal networks only.
 */
export type GatewayMode = (typeof MODES)[number];

const MODES = ['nat', 'nat-unprotected', 'routed', 'isolated'] as const;
const OPTION = 'com.docker.network.bridge.gateway_mode_ipv';

/** The mode of a network in one family; `nat` where it does not say. */
export function gatewayMode({ options }: Pick<NetworkRequest, 'options'>, family: 4 | 6): GatewayMode {
  return MODES.find((mode) => mode === options?.[`${OPTION}${family}`]) ?? 'nat';
}

/** Throws `invalid` with Docker's texts for a mode that is none, and for `isolated` on a network that is not internal. */
export function checkGatewayModes(request: NetworkRequest): void {
  for (const family of [4, 6] as const) {
    const option = `${OPTION}${family}`;
    const mode = request.options?.[option] ?? '';
    if (mode !== '' && !MODES.some((known) => known === mode)) {
      throw invalid(`failed to parse ${option} value: ${mode} (unknown gateway mode ${mode})`);
    }
    if (mode === 'isolated' && !request.internal) {
      throw invalid("gateway mode 'isolated' can only be used for an internal network");
    }
  }
}

/** Families that a network has and is in `mode` in. */
export function familiesIn(network: Network, mode: GatewayMode): (4 | 6)[] {
  const has = { 4: network.enableIPv4, 6: network.enableIPv6 };
  return ([4, 6] as const).filter((family) => has[family] && gatewayMode(network, family) === mode);
}

/** The requests as the network can serve them: without ports of the host in families that are routed. */
export function throughGateway(network: Network, requests: readonly PortRequest[]): readonly PortRequest[] {
  const routed = familiesIn(network, 'routed');
  return routed.length === 0 ? requests : requests.map((request) => ({ ...request, routed }));
}
