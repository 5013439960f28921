import { type Logger, messageOf } from '#base';
import type { ConnectionFilter, Connections, Firewall } from '#host';
import {
  type BridgeRules,
  networkElements,
  type PortRule,
  portElement,
  type RulesetNames,
  renderRuleset,
} from './ruleset.ts';

/** What the rules are loaded with. */
export interface PacketRulesOptions {
  readonly firewall: Firewall;
  readonly connections: Connections;
  readonly names: RulesetNames;
  readonly log: Logger;
}

/** The instance's nft table: a full load at start, single elements afterwards, each change atomic. */
export class PacketRules {
  readonly #firewall: Firewall;
  readonly #connections: Connections;
  readonly #names: RulesetNames;
  readonly #log: Logger;
  readonly #networks = new Map<string, BridgeRules>();
  /** By the script line that adds it, so that the same port is never added twice. */
  readonly #ports = new Map<string, PortRule>();
  /** How many rules the loaded table has; undefined when it should not be there. */
  #size: number | undefined;

  constructor({ firewall, connections, names, log }: PacketRulesOptions) {
    this.#firewall = firewall;
    this.#connections = connections;
    this.#names = names;
    this.#log = log;
  }

  /** Replaces the table with these networks and ports, whatever was there. */
  async reload(networks: readonly BridgeRules[], ports: readonly PortRule[]): Promise<void> {
    this.#networks.clear();
    this.#ports.clear();
    for (const network of networks) this.#networks.set(network.bridge, network);
    for (const port of ports) this.#ports.set(this.#line('add', port), port);
    await this.restore();
  }

  /** Loads what should be there anew. */
  async restore(): Promise<void> {
    await this.#firewall.load(renderRuleset(this.#names, [...this.#networks.values()], [...this.#ports.values()]));
    this.#size ??= await this.#count();
  }

  /** Loads the table anew when somebody removed it or flushed its rules; returns whether that was so. */
  async repair(): Promise<boolean> {
    if (this.#size === undefined || (await this.#count()) === this.#size) return false;
    // The engine may have left the host while we looked.
    if (this.#size === undefined) return false;
    await this.restore();
    return true;
  }

  /** Takes the whole table away. */
  async remove(): Promise<void> {
    const { table } = this.#names;
    this.#size = undefined;
    await this.#firewall.load(`table inet ${table} {}\ndelete table inet ${table}`);
  }

  async addNetwork(network: BridgeRules): Promise<void> {
    await this.#put(networkElements(this.#names.table, 'add', network));
    this.#networks.set(network.bridge, network);
  }

  /** Harmless when repeated. */
  async removeNetwork(network: BridgeRules): Promise<void> {
    if (!this.#networks.delete(network.bridge)) return;
    await this.#take(networkElements(this.#names.table, 'delete', network));
  }

  /** Publishes ports, all or none, also for UDP clients that asked in vain before. */
  async addPorts(ports: readonly PortRule[]): Promise<void> {
    const fresh = ports.filter((port) => !this.#ports.has(this.#line('add', port)));
    if (fresh.length === 0) return;
    await this.#put(fresh.map((port) => this.#line('add', port)));
    for (const port of fresh) this.#ports.set(this.#line('add', port), port);
    const filters = fresh.flatMap(({ binding, target }): ConnectionFilter[] =>
      binding.protocol === 'udp' ? [{ udpPort: binding.hostPort, family: target.includes(':') ? 6 : 4 }] : [],
    );
    for (const filter of filters) await this.#forget(filter);
  }

  /** Harmless when repeated. Clients whose packets the kernel still sent to the old container come to the next one. */
  async removePorts(ports: readonly PortRule[]): Promise<void> {
    const gone = ports.filter((port) => this.#ports.delete(this.#line('add', port)));
    if (gone.length === 0) return;
    await this.#take(gone.map((port) => this.#line('delete', port)));
    const servers = new Set(gone.filter(({ binding }) => binding.protocol === 'udp').map(({ target }) => target));
    for (const server of servers) await this.#forget({ server });
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
      if (!(await this.repair())) throw error;
      await this.#firewall.load(lines.join('\n'));
    }
  }

  /** Takes elements; when somebody flushed the table meanwhile, loads it whole as it should be. */
  async #take(lines: readonly string[]): Promise<void> {
    try {
      await this.#firewall.load(lines.join('\n'));
    } catch {
      await this.restore();
    }
  }

  async #count(): Promise<number> {
    return (await this.#firewall.contents('inet', this.#names.table)).rules.length;
  }

  #line(verb: 'add' | 'delete', port: PortRule): string {
    return portElement(this.#names.table, verb, port);
  }
}
