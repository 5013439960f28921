import { conflict, isBerthError } from '#base';
import type { BoundSocket, Sockets } from '#host';
import type { PortBinding, PortRequest, SandboxOwner } from './network.ts';
import { forwardPort, type PortForwarder } from './port-forwarder.ts';
import type { PortRule } from './ruleset.ts';

/** The container's addresses that ports lead to. */
export interface PortTargets {
  readonly ipv4?: string | undefined;
  readonly ipv6?: string | undefined;
}

/** Ports of one sandbox, held. */
export interface HeldPorts {
  readonly bindings: readonly PortBinding[];
  readonly rules: readonly PortRule[];
}

/** What one sandbox gets from another. */
export interface PortMove {
  /** Bindings that the old one no longer has. */
  readonly gone: readonly PortBinding[];
  /** All bindings of the new one. */
  readonly bindings: readonly PortBinding[];
  /** Puts everything back. */
  undo(): void;
}

interface Holding {
  readonly owner: SandboxOwner;
  readonly binding: PortBinding;
  /** Where the user-space path leads; absent where packets are only translated. */
  readonly forwarder?: Pick<PortForwarder, 'retarget'>;
  readonly close: () => void;
}

/** Tries for a port that is free in both families when the kernel chooses. */
const ATTEMPTS = 16;

/**
 * Host ports of containers. Each is held by a bound socket, so that two containers, or a container and a program of the
 * host, never answer on the same one: whoever comes second is told.
 */
export class PublishedPorts {
  readonly #sockets: Sockets;
  readonly #held = new Map<string, Holding[]>();

  constructor(sockets: Sockets) {
    this.#sockets = sockets;
  }

  /**
   * Takes the ports asked for, all or none. Throws `conflict` with Docker's text, naming the container that has it.
   */
  hold(owner: SandboxOwner, requests: readonly PortRequest[], targets: PortTargets): HeldPorts {
    const taken: Holding[] = [];
    try {
      for (const request of requests) taken.push(...this.#holdOne(owner, request, targets));
    } catch (error) {
      for (const holding of taken) holding.close();
      throw error;
    }
    this.#held.set(owner.id, [...(this.#held.get(owner.id) ?? []), ...taken]);
    const bindings = taken.map((holding) => holding.binding);
    return { bindings, rules: portRules(bindings, targets) };
  }

  /** Takes ports again that a record names: after a restart of the daemon. Returns those that somebody else has now. */
  resume(owner: SandboxOwner, bindings: readonly PortBinding[], targets: PortTargets): PortBinding[] {
    this.release(owner.id);
    const lost: PortBinding[] = [];
    for (const binding of bindings) {
      try {
        const holding = isRouted(binding) ? unbound(owner, binding) : this.#bind(owner, binding, targets);
        if (holding) this.#held.set(owner.id, [...(this.#held.get(owner.id) ?? []), holding]);
      } catch {
        lost.push(binding);
      }
    }
    return lost;
  }

  /**
   * Gives `to` the ports it asks for: those that `from` has go over with their sockets, so that nobody can come between;
   * the others are taken as by {@link PublishedPorts.hold}. A port that the kernel chose goes over by its container port.
   * Throws `conflict` for one that is taken; nothing has changed then.
   */
  handOver(
    ends: { from: string; to: SandboxOwner },
    requests: readonly PortRequest[],
    targets: { old: PortTargets; new: PortTargets },
  ): PortMove {
    const { from, to } = ends;
    const before = this.#held.get(from) ?? [];
    const rest: PortRequest[] = [];
    const direct: PortBinding[] = [];
    const moved = new Map<Holding, Holding>();
    for (const request of requests) {
      const matching = before.filter((holding) => !moved.has(holding) && serves(holding.binding, request));
      if (matching.length === 0) rest.push(request);
      // Where the network routes, each container has the port at an address of its own.
      else direct.push(...routedBindings(request));
      for (const holding of matching) {
        const binding = { ...holding.binding, containerPort: request.containerPort };
        moved.set(holding, { ...holding, owner: to, binding });
      }
    }
    const fresh = this.hold(to, rest, targets.new).bindings;
    const taken = [...moved.values(), ...direct.map((binding) => unbound(to, binding))];
    this.#held.set(to.id, [...(this.#held.get(to.id) ?? []), ...taken]);
    this.#held.set(
      from,
      before.filter((holding) => !moved.has(holding)),
    );
    for (const holding of taken) retarget(holding, targets.new);
    return {
      gone: [...moved.keys()].map(({ binding }) => binding),
      bindings: [...taken.map(({ binding }) => binding), ...fresh],
      undo: () => {
        const added = this.#held.get(to.id)?.filter((holding) => !taken.includes(holding)) ?? [];
        for (const holding of added) holding.close();
        this.#held.delete(to.id);
        this.#held.set(from, before);
        for (const holding of moved.keys()) retarget(holding, targets.old);
      },
    };
  }

  /** Gives back all ports of an owner. Harmless when repeated. */
  release(ownerId: string): void {
    for (const holding of this.#held.get(ownerId) ?? []) holding.close();
    this.#held.delete(ownerId);
  }

  /** Closes every socket; running containers stay reachable by the packet rules. */
  close(): void {
    for (const ownerId of [...this.#held.keys()]) this.release(ownerId);
  }

  #holdOne(owner: SandboxOwner, request: PortRequest, targets: PortTargets): Holding[] {
    const asked = request.hostAddress ? [request.hostAddress] : ['0.0.0.0', '::'];
    const addresses = asked.filter((address) => !request.routed?.includes(familyOf(address)));
    const direct = routedBindings(request).map((binding) => unbound(owner, binding));
    const { from, to } = portRange(request.hostPort);
    const attempts = from === 0 ? ATTEMPTS : to - from + 1;
    let failure: unknown;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const taken: Holding[] = [];
      try {
        let hostPort = from === 0 ? 0 : from + attempt;
        for (const hostAddress of addresses) {
          const { protocol, containerPort } = request;
          const holding = this.#bind(owner, { protocol, containerPort, hostAddress, hostPort }, targets, taken);
          if (!holding) continue;
          taken.push(holding);
          hostPort = holding.binding.hostPort;
        }
        return [...direct, ...taken];
      } catch (error) {
        for (const holding of taken) holding.close();
        failure = error;
        if (!isBerthError(error, 'conflict')) throw error;
      }
    }
    throw failure;
  }

  /** One socket. Undefined where the host has no IPv6 and nobody asked for it by address. */
  #bind(
    owner: SandboxOwner,
    wanted: PortBinding,
    targets: PortTargets,
    alsoTaken: readonly Holding[] = [],
  ): Holding | undefined {
    const holder = this.#holderOf(wanted, alsoTaken);
    if (holder) {
      throw conflict(
        `Bind for ${hostPort(wanted)} failed: port is already allocated (by container ${holder.owner.name})`,
        { details: { holder: holder.owner.id } },
      );
    }
    let socket: BoundSocket;
    try {
      socket = this.#sockets.bind({
        protocol: wanted.protocol,
        address: wanted.hostAddress,
        port: wanted.hostPort,
      });
    } catch (error) {
      if (!isBerthError(error)) throw error;
      const errno = error.details.errno;
      if (wanted.hostAddress === '::' && (errno === 'EAFNOSUPPORT' || errno === 'EADDRNOTAVAIL')) return undefined;
      throw bindFailure(wanted, targets, error);
    }
    const binding = { ...wanted, hostPort: socket.port };
    return { owner, binding, ...this.#keep(socket, binding, targets) };
  }

  /** Keeps the socket: as a forwarder where address translation cannot serve the binding, else only bound. */
  #keep(socket: BoundSocket, binding: PortBinding, targets: PortTargets): Pick<Holding, 'close' | 'forwarder'> {
    const address = targets.ipv6 ?? targets.ipv4;
    const { protocol, containerPort } = binding;
    if (!binding.hostAddress.includes(':') || address === undefined || protocol === 'sctp') {
      return { close: () => this.#sockets.close(socket.fd) };
    }
    const forwarder = forwardPort(socket.fd, { protocol, address, port: containerPort });
    return { forwarder, close: () => forwarder.close() };
  }

  #holderOf(wanted: PortBinding, alsoTaken: readonly Holding[]): Holding | undefined {
    if (wanted.hostPort === 0) return undefined;
    return [...[...this.#held.values()].flat(), ...alsoTaken].find(
      ({ binding }) =>
        binding.protocol === wanted.protocol &&
        binding.hostPort === wanted.hostPort &&
        binding.hostAddress.includes(':') === wanted.hostAddress.includes(':') &&
        (binding.hostAddress === wanted.hostAddress || isAny(binding.hostAddress) || isAny(wanted.hostAddress)),
    );
  }
}

/** True for a port that is open at the container's own address, with none of the host's. */
export function isRouted({ hostPort }: PortBinding): boolean {
  return hostPort === 0;
}

/** What a request comes to in families that the network routes. */
function routedBindings({ protocol, containerPort, hostAddress, routed = [] }: PortRequest): PortBinding[] {
  return routed
    .filter((family) => !hostAddress || familyOf(hostAddress) === family)
    .map((family) => ({ protocol, containerPort, hostAddress: family === 4 ? '0.0.0.0' : '::', hostPort: 0 }));
}

/** Nothing of the host's is held. */
function unbound(owner: SandboxOwner, binding: PortBinding): Holding {
  return { owner, binding, close: () => undefined };
}

function familyOf(address: string): 4 | 6 {
  return address.includes(':') ? 6 : 4;
}

/** The packet rules of bindings: those that a container address of the same family can serve. */
export function portRules(bindings: readonly PortBinding[], targets: PortTargets): PortRule[] {
  return bindings.flatMap((binding) => {
    const target = binding.hostAddress.includes(':') ? targets.ipv6 : targets.ipv4;
    return target === undefined ? [] : [{ binding, target }];
  });
}

function retarget({ forwarder, binding }: Holding, targets: PortTargets): void {
  const address = targets.ipv6 ?? targets.ipv4;
  if (address !== undefined) forwarder?.retarget({ address, port: binding.containerPort });
}

/** Whether a binding is what the request asks for. */
function serves(binding: PortBinding, request: PortRequest): boolean {
  if (binding.protocol !== request.protocol || isRouted(binding)) return false;
  if (request.hostAddress !== undefined && request.hostAddress !== '' && request.hostAddress !== binding.hostAddress) {
    return false;
  }
  if (!request.hostAddress && !isAny(binding.hostAddress)) return false;
  const { from, to } = portRange(request.hostPort);
  if (from === 0 || from !== to) {
    const inRange = from === 0 || (binding.hostPort >= from && binding.hostPort <= to);
    return inRange && binding.containerPort === request.containerPort;
  }
  return binding.hostPort === from;
}

function portRange(port: PortRequest['hostPort']): { from: number; to: number } {
  if (port === undefined) return { from: 0, to: 0 };
  return typeof port === 'number' ? { from: port, to: port } : port;
}

function isAny(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}

function hostPort(binding: PortBinding): string {
  const { hostAddress } = binding;
  return `${hostAddress.includes(':') ? `[${hostAddress}]` : hostAddress}:${binding.hostPort}`;
}

function bindFailure(
  binding: PortBinding,
  targets: PortTargets,
  cause: Error & { details: { errno?: unknown } },
): Error {
  const errno = String(cause.details.errno);
  const reasons: Record<string, string> = {
    EADDRINUSE: 'address already in use',
    EADDRNOTAVAIL: 'cannot assign requested address',
  };
  const target = `${targets.ipv4 ?? targets.ipv6 ?? ''}:${binding.containerPort}/${binding.protocol}`;
  const text = `failed to bind host port for ${hostPort(binding)}:${target}: ${reasons[errno] ?? errno}`;
  return conflict(text, { cause, details: { errno } });
}
