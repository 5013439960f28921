import { type Logger, messageOf, Semaphore } from '#base';
import type { ConnectionFilter, Connections, Firewall } from '#host';
import type { InputDetour } from './input-detour.ts';
import { contains, parseAddress, parseSubnet } from './ip.ts';
import {
  type BridgeRules,
  FAMILIES,
  type FirewallMode,
  networkElements,
  type PortRule,
  portElements,
  type RulesetNames,
  removalScript,
  renderRuleset,
} from './ruleset.ts';

/** What the rules are loaded with. */
export interface PacketRulesOptions {
  readonly firewall: Firewall;
  readonly connections: Connections;
  readonly names: RulesetNames;
  readonly detour: InputDetour;
  /** Of networks that do not say. */
  readonly firewallMode: FirewallMode;
  readonly log: Logger;
}

/** The instance's nft table: a full load at start, single elements afterwards, each change atomic. */
export class PacketRules {
  readonly #firewall: Firewall;
  readonly #connections: Connections;
  readonly #names: RulesetNames;
  readonly #detour: InputDetour;
  readonly #mode: FirewallMode;
  readonly #log: Logger;
  readonly #networks = new Map<string, BridgeRules>();
  /** By all that makes an element, so that the same port is never added twice. */
  readonly #ports = new Map<string, PortRule>();
  /**
   * One change at a time: what is loaded and what is remembered are changed together, so that a table that is loaded anew
   * is never one of before.
   */
  readonly #turn = new Semaphore(1);
  /** How many rules the loaded table has; undefined when it should not be there. */
  #size: number | undefined;

  constructor({ firewall, connections, names, detour, firewallMode, log }: PacketRulesOptions) {
    this.#firewall = firewall;
    this.#connections = connections;
    this.#names = names;
    this.#detour = detour;
    this.#mode = firewallMode;
    this.#log = log;
  }

  /** Replaces the table with these networks and ports, whatever was there. */
  reload(networks: readonly BridgeRules[], ports: readonly PortRule[]): Promise<void> {
    return this.#turn.run(async () => {
      this.#networks.clear();
      this.#ports.clear();
      for (const network of networks) this.#networks.set(network.bridge, network);
      for (const port of this.#asking(ports)) this.#ports.set(this.#key(port), port);
      this.#size = undefined;
      await this.#restore();
    });
  }

  /** Loads the table anew when somebody removed it or flushed its rules; returns whether that was so. */
  repair(): Promise<boolean> {
    return this.#turn.run(() => this.#repair());
  }

  /** Takes the whole table away. */
  remove(): Promise<void> {
    return this.#turn.run(async () => {
      this.#size = undefined;
      await this.#firewall.load(removalScript(this.#names.table));
    });
  }

  addNetwork(network: BridgeRules): Promise<void> {
    return this.#turn.run(async () => {
      if (!this.asksHost && this.#asks(network)) {
        await this.#startAsking(network);
        return;
      }
      await this.#put(networkElements(this.#names.table, 'add', network));
      this.#networks.set(network.bridge, network);
    });
  }

  /** Harmless when repeated. */
  removeNetwork(network: BridgeRules): Promise<void> {
    return this.#turn.run(async () => {
      const asked = this.asksHost;
      if (!this.#networks.delete(network.bridge)) return;
      if (asked && !this.asksHost) {
        this.#size = undefined;
        await this.#restore();
        return;
      }
      await this.#take(networkElements(this.#names.table, 'delete', network));
    });
  }

  /** The input rules of the host decide about published ports of some network. */
  get asksHost(): boolean {
    return [...this.#networks.values()].some((network) => this.#asks(network));
  }

  /** Publishes ports, all or none, also for UDP clients that asked in vain before. */
  async addPorts(ports: readonly PortRule[]): Promise<void> {
    const fresh = await this.#turn.run(async () => {
      const missing = this.#asking(this.#once(ports).filter((port) => !this.#ports.has(this.#key(port))));
      if (missing.length === 0) return [];
      await this.#put(missing.flatMap((port) => portElements(this.#names.table, 'add', port)));
      for (const port of missing) this.#ports.set(this.#key(port), port);
      return missing;
    });
    const filters = fresh.flatMap(({ binding, target }): ConnectionFilter[] =>
      binding.protocol === 'udp' ? [{ udpPort: binding.hostPort, family: target.includes(':') ? 6 : 4 }] : [],
    );
    for (const filter of filters) await this.#forget(filter);
  }

  /** Harmless when repeated. Clients whose packets the kernel still sent to the old container come to the next one. */
  async removePorts(ports: readonly PortRule[]): Promise<void> {
    const gone = await this.#turn.run(async () => {
      const known = this.#known(ports);
      for (const port of known) this.#ports.delete(this.#key(port));
      if (known.length > 0) await this.#take(known.flatMap((port) => portElements(this.#names.table, 'delete', port)));
      return known;
    });
    await this.#forgetServers(gone);
  }

  /**
   * Publishes `fresh` in place of `gone` in one transaction: there is no moment at which neither is there. Open TCP
   * connections stay where they are; UDP clients come to the new target with their next packet. All or nothing.
   */
  async movePorts(gone: readonly PortRule[], fresh: readonly PortRule[]): Promise<void> {
    const { table } = this.#names;
    const old = await this.#turn.run(async () => {
      const known = this.#known(gone);
      const asking = this.#asking(this.#once(fresh));
      const lines = [
        ...known.flatMap((port) => portElements(table, 'delete', port)),
        ...asking.flatMap((port) => portElements(table, 'add', port)),
      ];
      if (lines.length === 0) return [];
      await this.#put(lines);
      for (const port of known) this.#ports.delete(this.#key(port));
      for (const port of asking) this.#ports.set(this.#key(port), port);
      return known;
    });
    await this.#forgetServers(old);
  }

  /** Loads what should be there anew. */
  async #restore(): Promise<void> {
    const [networks, ports] = [[...this.#networks.values()], [...this.#ports.values()]];
    const detourIndex = this.asksHost ? await this.#detour.up() : undefined;
    await this.#firewall.load(renderRuleset(this.#names, { networks, ports, detourIndex }));
    this.#size ??= await this.#count();
  }

  async #repair(): Promise<boolean> {
    // Undefined: the engine has left the host.
    if (this.#size === undefined || (await this.#count()) === this.#size) return false;
    await this.#restore();
    return true;
  }

  /** The first network that asks the host needs more chains than there were. */
  async #startAsking(network: BridgeRules): Promise<void> {
    this.#networks.set(network.bridge, network);
    try {
      this.#size = undefined;
      await this.#restore();
    } catch (error) {
      this.#networks.delete(network.bridge);
      await this.#restore();
      throw error;
    }
  }

  #asks(network: BridgeRules): boolean {
    return (network.firewall ?? this.#mode) === 'host';
  }

  /** The same ports, each with what the network of its target says of the host's firewall. */
  #asking(ports: readonly PortRule[]): PortRule[] {
    const asking = [...this.#networks.values()]
      .filter((network) => this.#asks(network))
      .flatMap((network) => network.subnets.map(parseSubnet));
    if (asking.length === 0) return [...ports];
    const known = new Map<string, boolean>();
    return ports.map((port) => {
      const address = parseAddress(port.target);
      const asksHost = known.get(port.target) ?? asking.some((subnet) => contains(subnet, address));
      known.set(port.target, asksHost);
      return { ...port, asksHost };
    });
  }

  /** Those of `ports` that are published, as they are. */
  #known(ports: readonly PortRule[]): PortRule[] {
    return this.#once(ports).flatMap((port) => this.#ports.get(this.#key(port)) ?? []);
  }

  /** Ends what the kernel remembers of UDP clients of containers that no longer serve. */
  async #forgetServers(gone: readonly PortRule[]): Promise<void> {
    const servers = new Set(gone.filter(({ binding }) => binding.protocol === 'udp').map(({ target }) => target));
    for (const udpServer of servers) await this.#forget({ udpServer });
  }

  async #forget(filter: ConnectionFilter): Promise<void> {
    try {
      await this.#connections.forget(filter);
    } catch (error) {
      this.#log.warn('cannot end known UDP connections', { ...filter, error: messageOf(error) });
    }
  }

  /** Adds elements, all or none, also when somebody has just flushed the table. */
  async #put(lines: readonly string[]): Promise<void> {
    try {
      await this.#firewall.load(lines.join('\n'));
    } catch (error) {
      if (!(await this.#repair())) throw error;
      await this.#firewall.load(lines.join('\n'));
    }
  }

  /** Takes elements; when somebody flushed the table meanwhile, loads it whole as it should be. */
  async #take(lines: readonly string[]): Promise<void> {
    try {
      await this.#firewall.load(lines.join('\n'));
    } catch {
      await this.#restore();
    }
  }

  async #count(): Promise<number> {
    const families = this.asksHost ? FAMILIES : (['inet'] as const);
    let rules = 0;
    for (const family of families) {
      rules += (await this.#firewall.contents(family, this.#names.table)).rules.length;
    }
    return rules;
  }

  /** Two requests may come to the same element: host ports do not count where the network routes. */
  #once(ports: readonly PortRule[]): PortRule[] {
    return [...new Map(ports.map((port) => [this.#key(port), port])).values()];
  }

  #key({ binding, target }: PortRule): string {
    return `${binding.protocol} ${binding.hostAddress} ${binding.hostPort} ${target} ${binding.containerPort}`;
  }
}
