import { conflict, forbidden, invalid } from '#base';
import type { EndpointRequest, NetworkService } from '#network';
import type { EventJournal } from '../../events/events.ts';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import { ownsNetwork } from '../start/open-network.ts';

/** What connecting needs. */
export interface ConnectDependencies {
  readonly registry: ContainerRegistry;
  readonly networks: Pick<NetworkService, 'get' | 'connect' | 'disconnect'>;
  readonly events: EventJournal;
}

/** Puts the container on one more network: now when it runs, and at every start. Call under its lock. */
export async function connectNetwork(
  deps: ConnectDependencies,
  container: LiveContainer,
  endpoint: EndpointRequest,
): Promise<void> {
  const network = await deps.networks.get(endpoint.network);
  if (!ownsNetwork(container)) {
    const mode = container.settings.host.networkMode;
    if (mode === 'host')
      throw forbidden('cannot connect container to host network - container must be created in host network mode');
    throw conflict(
      'container sharing network namespace with another container or host cannot be connected to any other network',
    );
  }
  if (container.settings.networks[network.name]) {
    throw forbidden(`endpoint with name ${container.name} already exists in network ${network.name}`);
  }
  if (container.task && container.settings.networks.none) {
    throw forbidden(
      'container cannot be connected to multiple networks with one of the networks in private (none) mode',
    );
  }
  const { network: _, ...request } = endpoint;
  if (container.task)
    container.sandbox = await deps.networks.connect(container.id, { ...request, network: network.id });
  announce(deps, container, { action: 'connect', network });
  const others = Object.entries(container.settings.networks).filter(([name]) => name !== 'none');
  deps.registry.setSettings(container, {
    networks: { ...Object.fromEntries(others), [network.name]: { request } },
  });
}

/** Takes it off a network. Throws `invalid` when it is not on it; with `force` the network itself may be gone. */
export async function disconnectNetwork(
  deps: ConnectDependencies,
  container: LiveContainer,
  { network: wanted, force }: { network: string; force: boolean },
): Promise<void> {
  const network = await deps.networks.get(wanted).catch((error: unknown) => {
    if (force) return { id: wanted, name: wanted, driver: 'bridge' };
    throw error;
  });
  if (container.settings.host.networkMode === 'host') {
    throw forbidden('container cannot be disconnected from host network or connected to host network');
  }
  const { [network.name]: gone, ...networks } = container.settings.networks;
  if (gone === undefined) throw invalid(`container ${container.id} is not connected to network ${network.name}`);
  if (container.task) container.sandbox = await deps.networks.disconnect(container.id, network.id);
  announce(deps, container, { action: 'disconnect', network });
  deps.registry.setSettings(container, { networks });
}

function announce(
  deps: ConnectDependencies,
  container: LiveContainer,
  { action, network }: { action: string; network: { id: string; name: string; driver: string } },
): void {
  const attributes = { container: container.id, name: network.name, type: network.driver };
  deps.events.publish('network', action, network.id, attributes);
}
