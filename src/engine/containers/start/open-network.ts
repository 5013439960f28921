import { BerthError, isBerthError } from '#base';
import type { EndpointRequest, PortRequest, Sandbox, Sandboxes } from '#network';
import type { NamespaceSource } from '#runtime';
import type { EventJournal, EventPublisher } from '../../events/events.ts';
import type { LiveContainer } from '../live-container.ts';
import type { ContainerRegistry } from '../registry.ts';
import { joinedContainer } from './join-namespaces.ts';

/** What networking needs. */
export interface NetworkDependencies {
  readonly registry: Pick<ContainerRegistry, 'find'>;
  readonly networks: Pick<Sandboxes, 'open' | 'close'>;
  readonly events: EventJournal;
}

/** Modes in which a container sits in somebody else's network namespace. */
export function ownsNetwork(container: LiveContainer): boolean {
  const { networkMode } = container.settings.host;
  return networkMode !== 'host' && !networkMode.startsWith('container:');
}

/** Opens the container's sandbox, or finds the namespace it shares. Throws what the network room throws, in Docker's words. */
export async function openNetwork(
  deps: NetworkDependencies,
  container: LiveContainer,
): Promise<{ source: NamespaceSource; sandbox?: Sandbox }> {
  const { settings } = container;
  const { host } = settings;
  if (host.networkMode === 'host') return { source: 'host' };
  const target = joined(deps, host.networkMode);
  if (target !== undefined) {
    if (target.settings.host.networkMode === 'host') return { source: 'host' };
    return { source: { path: `/proc/${target.task.pid}/ns/net` } };
  }
  try {
    const sandbox = await deps.networks.open({
      owner: {
        id: container.id,
        name: container.name,
        hostname: settings.hostname,
        ...(settings.domainname ? { domainname: settings.domainname } : {}),
      },
      endpoints: endpointRequests(container),
      ports: portRequests(container),
      sysctls: Object.fromEntries(Object.entries(host.sysctls).filter(([key]) => key.startsWith('net.'))),
      dns: { servers: host.dns, search: host.dnsSearch, options: host.dnsOptions },
      extraHosts: host.extraHosts,
      standby: settings.standbyFor !== undefined,
    });
    return { source: { path: sandbox.netnsPath }, sandbox };
  } catch (error) {
    if (!isBerthError(error)) throw error;
    throw new BerthError(error.kind, `failed to set up container networking: ${error.message}`, { cause: error });
  }
}

/** Announces that the container joined (`connect`) or left (`disconnect`) the networks of its sandbox. */
export function announceNetworks(
  events: EventPublisher,
  container: LiveContainer,
  action: 'connect' | 'disconnect',
): void {
  for (const { networkId, networkName } of container.sandbox?.endpoints ?? []) {
    const type = networkName === 'none' || networkName === 'host' ? 'null' : 'bridge';
    events.publish('network', action, networkId, { container: container.id, name: networkName, type });
  }
}

function joined(deps: NetworkDependencies, mode: string) {
  try {
    return joinedContainer(deps.registry, mode, 'network');
  } catch (error) {
    if (!isBerthError(error, 'not-found')) throw error;
    throw new BerthError('not-found', `joining network namespace of container: ${error.message}`, { cause: error });
  }
}

function endpointRequests(container: LiveContainer): EndpointRequest[] {
  return Object.entries(container.settings.networks)
    .filter(([network]) => network !== 'none' && network !== 'host')
    .map(([network, { request }]) => ({ ...request, network }));
}

/** Asked ports, and with `-P` every exposed one that was not asked. */
function portRequests(container: LiveContainer): PortRequest[] {
  const { host, exposedPorts } = container.settings;
  if (!host.publishAllPorts) return [...host.ports];
  const asked = new Set(host.ports.map((port) => `${port.containerPort}/${port.protocol}`));
  const exposed = exposedPorts.flatMap((text): PortRequest[] => {
    const match = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/.exec(text);
    if (!match) return [];
    const from = Number(match[1]);
    const to = Number(match[2] ?? match[1]);
    const protocol = match[3] === 'udp' || match[3] === 'sctp' ? match[3] : 'tcp';
    return Array.from({ length: to - from + 1 }, (_, index) => ({ protocol, containerPort: from + index }));
  });
  return [...host.ports, ...exposed.filter((port) => !asked.has(`${port.containerPort}/${port.protocol}`))];
}

/** Address at which the host reaches what listens in the container; undefined without a network that leads there. */
export function reachableAddress(
  registry: Pick<ContainerRegistry, 'tryFind'>,
  { settings, sandbox }: LiveContainer,
): string | undefined {
  const mode = settings.host.networkMode;
  if (mode === 'host') return '127.0.0.1';
  if (mode.startsWith('container:')) {
    const owner = registry.tryFind(mode.slice('container:'.length));
    return owner && ownsNetwork(owner) ? reachableAddress(registry, owner) : owner && '127.0.0.1';
  }
  for (const { ipv4, ipv6 } of sandbox?.endpoints ?? []) if (ipv4 ?? ipv6) return (ipv4 ?? ipv6)?.address;
  return undefined;
}
