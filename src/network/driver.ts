import type { Network, NetworkRequest } from './network.ts';

/** One interface of a sandbox on one network, as the driver makes and unmakes it. */
export interface Attachment {
  /** Pinned namespace file of the sandbox. */
  readonly netns: string;
  /** Name inside the sandbox, such as `eth0`. */
  readonly interfaceName: string;
  /** Name of the end that stays on the host; empty for drivers that leave none there. */
  readonly hostLink: string;
  readonly mac: string;
  /** Addresses in CIDR form. */
  readonly addresses: readonly string[];
  /** A veth pair of these names is there already (from the pool of ready sandboxes). */
  readonly ready: boolean;
  /** The sandbox publishes ports: it may have to reach itself through the host's address. */
  readonly publishes: boolean;
}

/**
 * A way of connecting sandboxes. A driver moves links and addresses; who sits where, names, ports and packet rules are
 * not its business. To add one, implement this and register it in `service.ts`.
 */
export interface NetworkDriver {
  readonly name: string;
  /** `namespace`: sandboxes get a namespace of their own. `host`: they share the host's. */
  readonly shares: 'namespace' | 'host';
  /** Endpoints get addresses from the network's pools. */
  readonly addressed: boolean;
  /** Containers reach the outside through a bridge of ours, so packet rules and published ports apply. */
  readonly bridged: boolean;
  /** Only the predefined network of this name may exist. */
  readonly single: boolean;
  /** Endpoints have hardware addresses of their own. */
  readonly hardwareAddresses: boolean;
  /** Throws `invalid` for options that this driver cannot take, `forbidden` for what one of `others` has already. */
  check(request: NetworkRequest, others: readonly Network[]): void;
  /** Names of the links on the host that this engine may have made for the network itself. */
  hostLinks(network: Network): readonly string[];
  /** True when whatever is elsewhere is reached by the interface itself, without a gateway. */
  routesByDevice(network: Network): boolean;
  /** Makes the network's part of the host, or repairs it. Harmless when repeated. */
  up(network: Network): Promise<void>;
  /** Removes the network's part of the host, perhaps not at once. Harmless when repeated. */
  down(network: Network): Promise<void>;
  /** Resolves when nothing that `down` began is under way any more. */
  settle(): Promise<void>;
  /** Puts an interface into a sandbox, up and with its addresses; routes are the caller's. All or nothing. */
  attach(network: Network, attachment: Attachment): Promise<void>;
  /** Takes the interface away. Harmless when repeated. */
  detach(attachment: Attachment): Promise<void>;
}
