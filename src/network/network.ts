/** A network as users make it. Field meanings as Docker's `network create`. */
export interface Network {
  /** 64 hex digits. */
  readonly id: string;
  readonly name: string;
  readonly driver: string;
  readonly createdAt: number;
  readonly internal: boolean;
  readonly attachable: boolean;
  readonly enableIPv4: boolean;
  readonly enableIPv6: boolean;
  readonly ipam: {
    readonly driver: string;
    readonly options: Readonly<Record<string, string>>;
    readonly pools: readonly IpamPool[];
  };
  readonly options: Readonly<Record<string, string>>;
  readonly labels: Readonly<Record<string, string>>;
  /** What the user said it is valid for; `local` where nothing was said. It changes nothing. */
  readonly scope?: string;
  /** It only keeps a configuration for others: nothing of it is on the host, and its pools are as the user gave them. */
  readonly configOnly?: { readonly pools: readonly Partial<IpamPool>[] };
  /** Name of the configuration network that it was made from. */
  readonly configFrom?: string;
}

/** One subnet of a network, with what it keeps for itself. All in CIDR or plain address form. */
export interface IpamPool {
  readonly subnet: string;
  readonly range?: string;
  readonly gateway?: string;
  /** Name to address: never given out. */
  readonly auxAddresses?: Readonly<Record<string, string>>;
}

/** What to make a network from; what is left out is chosen (a free subnet, its first address as gateway). */
export interface NetworkRequest {
  readonly name: string;
  readonly driver?: string;
  readonly internal?: boolean;
  readonly attachable?: boolean;
  readonly enableIPv4?: boolean;
  readonly enableIPv6?: boolean;
  readonly ipam?: {
    readonly driver?: string;
    readonly options?: Readonly<Record<string, string>>;
    readonly pools: readonly Partial<IpamPool>[];
  };
  readonly options?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly scope?: string;
  /** Of a cluster's published ports; refused, as this engine is in none. */
  readonly ingress?: boolean;
  /** Keep a configuration, make no network. */
  readonly configOnly?: boolean;
  /** Name or id of a configuration network to take subnets, options and labels from. */
  readonly configFrom?: string;
}

/** How a container wants to sit on one network. */
export interface EndpointRequest {
  /** Name or id of the network. */
  readonly network: string;
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly mac?: string;
  /** Extra DNS names on this network only. */
  readonly aliases?: readonly string[];
  /** Alias to container name, as `--link`. */
  readonly links?: Readonly<Record<string, string>>;
  /** The default route goes to the endpoint with the highest; then by network name. */
  readonly gatewayPriority?: number;
  readonly driverOptions?: Readonly<Record<string, string>>;
}

/** A place on a network, in use. */
export interface Endpoint {
  readonly id: string;
  readonly networkId: string;
  readonly networkName: string;
  readonly mac: string;
  readonly ipv4?: { readonly address: string; readonly prefix: number; readonly gateway?: string };
  readonly ipv6?: { readonly address: string; readonly prefix: number; readonly gateway?: string };
  readonly aliases: readonly string[];
  /** All names that resolve to it on this network. */
  readonly dnsNames: readonly string[];
  readonly interfaceName: string;
}

/** A port of the container that the host answers on. */
export interface PortBinding {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly containerPort: number;
  /** `0.0.0.0`, `::`, or one address of the host. */
  readonly hostAddress: string;
  /** 0 where the network routes: the port is open at the container's own address. */
  readonly hostPort: number;
}

/** A port asked for: host port 0 or a range lets the engine choose; no address means both families. */
export interface PortRequest {
  readonly protocol: 'tcp' | 'udp' | 'sctp';
  readonly containerPort: number;
  readonly hostAddress?: string;
  readonly hostPort?: number | { readonly from: number; readonly to: number };
  /** Families that the network routes: the port is opened there at the container's address, with none of the host's. */
  readonly routed?: readonly (4 | 6)[];
}

/** Who sits in a sandbox: what DNS, /etc/hosts and error texts need. */
export interface SandboxOwner {
  /** Container id, or a build step's. */
  readonly id: string;
  readonly name: string;
  readonly hostname: string;
  readonly domainname?: string;
}

/** What a sandbox is opened with. */
export interface SandboxRequest {
  readonly owner: SandboxOwner;
  readonly endpoints: readonly EndpointRequest[];
  readonly ports: readonly PortRequest[];
  readonly sysctls?: Readonly<Record<string, string>>;
  readonly dns: {
    readonly servers: readonly string[];
    readonly search: readonly string[];
    readonly options: readonly string[];
  };
  /** `name:ip` lines; the address `host-gateway` is the host's. */
  readonly extraHosts: readonly string[];
  /**
   * It stands by to take the place of another: its ports are held back, and names that others answer to lead to them
   * alone, until {@link Sandboxes.takeOver}.
   */
  readonly standby?: boolean;
}

/** What a sandbox takes over, and from whom. */
export interface TakeOver {
  /** Owner whose place is taken; it goes on, without its ports, and answers only to names that nobody else has. */
  readonly from: string;
  /** Names of both owners afterwards. */
  readonly names: { readonly owner: string; readonly from: string };
  /** Runs in the transaction that records it; its throw undoes everything. */
  readonly record: () => void;
  /** Runs in the transaction that takes the record back, when the kernel refuses. */
  readonly unrecord: () => void;
}

/** A network namespace with its links, addresses, routes, rules and names: everything a container needs to talk. */
export interface Sandbox {
  readonly id: string;
  /** Pinned namespace file, to be joined by the runtime; empty on the network `host`: the runtime makes and joins none. */
  readonly netnsPath: string;
  readonly endpoints: readonly Endpoint[];
  readonly ports: readonly PortBinding[];
  /** Contents for /etc/hosts and /etc/resolv.conf; they change when networks are connected. */
  readonly hostsFile: string;
  readonly resolvConf: string;
}

/** Networks as objects. */
export interface Networks {
  /**
   * Throws `conflict` for a taken name, `invalid` for bad or overlapping pools; `forbidden` for predefined names, for what
   * needs a cluster, and for a configuration with what it cannot have; `not-found` for one that is not there.
   */
  create(request: NetworkRequest): Promise<Network>;
  /** By name, id, or unambiguous id prefix. Throws `not-found` ("network X not found"). */
  get(name: string): Promise<Network>;
  list(): Promise<Network[]>;
  /** Endpoints in use on it, with their owners. */
  endpoints(networkId: string): Promise<{ readonly owner: SandboxOwner; readonly endpoint: Endpoint }[]>;
  /** Throws `forbidden` for predefined networks, and for one with active endpoints or made for others (Docker's texts). */
  remove(name: string): Promise<Network>;
}

/** Sandboxes: opened for a start, closed after an exit; they outlive the daemon. */
export interface Sandboxes {
  /**
   * Looks at endpoints before there is a sandbox: throws `invalid` ("invalid config for network ...") for addresses and
   * names that could never be given. Networks that do not exist are passed over.
   */
  check(endpoints: readonly EndpointRequest[]): void;
  /** All or nothing. Throws `not-found` (network), `conflict` (port taken, naming the holder; address in use). */
  open(request: SandboxRequest): Promise<Sandbox>;
  /** An open one, by owner id. */
  find(ownerId: string): Promise<Sandbox | undefined>;
  connect(ownerId: string, endpoint: EndpointRequest): Promise<Sandbox>;
  disconnect(ownerId: string, network: string): Promise<Sandbox>;
  /**
   * Moves published ports and names from one sandbox to one that stands by, in one step: new connections go to the new
   * one from one packet to the next, open ones stay where they are. Ports that only the new one asked for are taken,
   * too. All or nothing. Throws `conflict` when it does not stand by or a port is taken, `not-found` when either is not
   * open.
   */
  takeOver(ownerId: string, options: TakeOver): Promise<void>;
  /** After a rename of the owner: names resolve anew. */
  rename(ownerId: string, name: string): Promise<void>;
  /**
   * Resolves when nobody sees the sandbox any more: ports are free, names and endpoints gone. Links, namespace and
   * addresses follow in the background; whoever asks for what they still hold waits. Harmless when repeated.
   */
  close(ownerId: string): Promise<void>;
  /** Called when a sandbox's hosts or resolv.conf contents have changed. */
  onChange(listener: (ownerId: string, sandbox: Sandbox) => void): void;
}

/** The network room's door for the engine. */
export interface NetworkService extends Networks, Sandboxes {
  /** Brings bridge, rules and sandboxes in line with the records; closes sandboxes whose owner is not in `alive`. */
  reconcile(alive: ReadonlySet<string>): Promise<void>;
  /** Stops background work (DNS, pool), after what is under way of closing. Running containers keep their network. */
  shutdown(): Promise<void>;
}
