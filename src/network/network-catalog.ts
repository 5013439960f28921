import { conflict, forbidden, invalid, newId, notFound, shortId, withUndo } from '#base';
import type { Links } from '#host';
import type { Database } from '#metadata';
import { bridgeName, bridgeRules } from './bridge-driver.ts';
import { checkConfiguration, configured } from './configuration.ts';
import type { NetworkDriver } from './driver.ts';
import { gatewayMode } from './gateway-mode.ts';
import { formatSubnet, overlaps, parseSubnet, type Subnet } from './ip.ts';
import { type Ipam, readSubnet } from './ipam.ts';
import type { IpamPool, Network, NetworkRequest } from './network.ts';
import type { PacketRules } from './packet-rules.ts';
import type { SandboxRecords } from './sandbox-records.ts';

/** Names of the networks that are always there. */
export const predefinedNetworks = ['bridge', 'host', 'none'] as const;
/** Names that no network can be made with: `default` is how a container asks for the default one. */
const reservedNames: readonly string[] = [...predefinedNetworks, 'default'];
/** Configuration networks have this driver, whatever is asked for: as in Docker, it shows in lists. */
const CONFIG_DRIVER = 'null';

/** What the catalog works with. */
export interface NetworkCatalogOptions {
  readonly database: Database;
  readonly links: Links;
  readonly ipam: Ipam;
  readonly drivers: ReadonlyMap<string, NetworkDriver>;
  readonly rules: PacketRules;
  readonly sandboxes: SandboxRecords;
}

/** The networks that exist: in memory, in the database and, through their drivers, on the host. */
export class NetworkCatalog {
  readonly #options: NetworkCatalogOptions;
  readonly #byId = new Map<string, Network>();
  /** Networks whose subnet the user chose: fixed addresses are allowed there only. */
  readonly #userSubnets = new Set<string>();

  constructor(options: NetworkCatalogOptions) {
    this.#options = options;
    for (const row of options.database.all<{ record: string; user_subnet: number }>(
      'SELECT record, user_subnet FROM network_networks',
    )) {
      const network = JSON.parse(row.record) as Network;
      this.#byId.set(network.id, network);
      if (row.user_subnet === 1) this.#userSubnets.add(network.id);
    }
  }

  /** True when the user chose a subnet of it. */
  hasUserSubnet(network: Network): boolean {
    return this.#userSubnets.has(network.id);
  }

  all(): Network[] {
    return [...this.#byId.values()];
  }

  /** By name, id, or unambiguous id prefix. Throws `not-found`, `invalid` for an ambiguous prefix. */
  get(name: string): Network {
    const exact = this.#byId.get(name) ?? this.all().find((network) => network.name === name);
    if (exact) return exact;
    const matches = name === '' ? [] : this.all().filter((network) => network.id.startsWith(name));
    if (matches.length > 1) throw invalid(`network ${name} is ambiguous (${matches.length} matches found on name)`);
    const [match] = matches;
    if (!match) throw notFound(`network ${name} not found`);
    return match;
  }

  /** True when {@link NetworkCatalog.get} would find one. */
  has(name: string): boolean {
    return this.all().some((network) => network.name === name || (name !== '' && network.id.startsWith(name)));
  }

  /** The driver of a network. Throws `not-found` with Docker's text for an unknown one. */
  driver(name: string): NetworkDriver {
    const driver = this.#options.drivers.get(name);
    if (name === 'overlay') {
      throw forbidden(
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      );
    }
    if (!driver) throw notFound(`plugin "${name}" not found`);
    return driver;
  }

  /** Makes a network on disk and on the host. `predefined` may take the reserved names. */
  async create(asked: NetworkRequest, predefined = false): Promise<Network> {
    const { name } = asked;
    if (name.trim() === '') throw invalid('invalid name: name is empty');
    if (!predefined && reservedNames.includes(name)) {
      throw forbidden(`operation is not permitted on predefined ${name} network`);
    }
    if (asked.scope === 'swarm' && !asked.configOnly && !asked.ingress) {
      throw forbidden('cannot create a swarm scoped network when swarm is not active');
    }
    checkConfiguration(asked);
    if (asked.configOnly) return this.#createConfiguration(asked);
    const request = asked.configFrom === undefined ? asked : configured(asked, this.#configuration(asked.configFrom));
    const driver = this.driver(request.driver ?? 'bridge');
    if (request.ingress) throw forbidden('Ingress network can only be global scope network');
    if (driver.single && !predefined) throw forbidden(`only one instance of "${driver.name}" network is allowed`);
    checkIpamDriver(request);
    driver.check(request, this.all());
    const routes = driver.addressed ? await this.#hostSubnets() : [];
    // No await between here and the insert: name, configuration and subnet are checked and taken in one step.
    this.#refuseTaken(name);
    if (request.configFrom !== undefined) this.#configuration(request.configFrom);
    const network = this.#plan(request, driver, routes);
    return withUndo(async (undo) => {
      this.#insert(network, request.ipam?.pools.some((pool) => pool.subnet !== undefined) ?? false);
      undo.push(() => this.#delete(network));
      await driver.up(network);
      undo.push(() => driver.down(network));
      if (driver.bridged) await this.#options.rules.addNetwork(bridgeRules(network));
      return network;
    });
  }

  /** Writes down a configuration for other networks. Nothing of it is on the host. */
  #createConfiguration(request: NetworkRequest): Network {
    checkIpamDriver(request);
    this.#refuseTaken(request.name);
    const pools = request.ipam?.pools ?? [];
    for (const pool of pools) this.#options.ipam.complete(pool, readSubnet(pool.subnet ?? ''));
    const { ipam, ...network } = draft(request, CONFIG_DRIVER);
    const configuration = { ...network, ipam: { ...ipam, pools: [] }, configOnly: { pools } };
    this.#insert(configuration, false);
    return configuration;
  }

  #configuration(name: string): Network {
    const network = this.has(name) ? this.get(name) : undefined;
    if (network?.configOnly) return network;
    throw notFound(`configuration network "${name}" does not exist`);
  }

  #refuseTaken(name: string): void {
    if (this.all().some((network) => network.name === name)) {
      throw conflict(`network with name ${name} already exists`);
    }
  }

  /** Removes a network that nobody uses. Throws `forbidden` with Docker's texts. */
  async remove(name: string): Promise<Network> {
    const network = this.get(name);
    if ((predefinedNetworks as readonly string[]).includes(network.name)) {
      throw forbidden(`${network.name} is a pre-defined network and cannot be removed`);
    }
    if (network.configOnly && this.all().some((other) => other.configFrom === network.name)) {
      throw forbidden(`error while removing network: configuration network "${network.name}" is in use`);
    }
    const active = this.#options.sandboxes.on(network.id);
    if (active.length > 0) {
      const list = active.map(({ record, endpoint }) => `name:"${record.owner.name}" id:"${shortId(endpoint.id)}"`);
      throw forbidden(
        `error while removing network: network ${network.name} has active endpoints (${list.join(', ')})`,
      );
    }
    this.#delete(network);
    const driver = this.driver(network.driver);
    if (driver.bridged) await this.#options.rules.removeNetwork(bridgeRules(network));
    await driver.down(network);
    return network;
  }

  #insert(network: Network, userSubnet: boolean): void {
    const { database, ipam } = this.#options;
    database.transaction(() => {
      database.run(
        'INSERT INTO network_networks VALUES (?, ?, ?, ?)',
        network.id,
        network.name,
        userSubnet ? 1 : 0,
        JSON.stringify(network),
      );
      ipam.keep(network);
    });
    this.#byId.set(network.id, network);
    if (userSubnet) this.#userSubnets.add(network.id);
  }

  #delete(network: Network): void {
    this.#options.database.run('DELETE FROM network_networks WHERE id = ?', network.id);
    this.#byId.delete(network.id);
    this.#userSubnets.delete(network.id);
  }

  #plan(request: NetworkRequest, driver: NetworkDriver, routes: readonly Subnet[]): Network {
    const plain = draft(request, driver.name);
    const { enableIPv4, enableIPv6, ipam } = plain;
    if (!enableIPv4 && !enableIPv6 && driver.addressed) throw invalid('IPv4 or IPv6 must be enabled');
    const pools = driver.addressed ? this.#pools(plain, request.ipam?.pools ?? [], routes) : [];
    const network = { ...plain, ipam: { ...ipam, pools } };
    const name = driver.bridged ? bridgeName(network) : '';
    const twin = this.all().find((other) => driver.bridged && bridgeName(other) === name);
    if (twin) throw conflict(`bridge ${name} is in use by network ${twin.name}; choose another name`);
    return network;
  }

  /** The pools that a network gets: those that were given, and a free one for each family that has none. */
  #pools(network: Network, given: readonly Partial<IpamPool>[], routes: readonly Subnet[]): IpamPool[] {
    const { ipam } = this.#options;
    const { enableIPv4, enableIPv6, id } = network;
    const ours = this.all().flatMap((other) => other.ipam.pools.map((pool) => parseSubnet(pool.subnet)));
    const complete = (pool: Partial<IpamPool>, subnet: Subnet): IpamPool => {
      const whole = ipam.complete(pool, subnet);
      const enabled = subnet.family === 4 ? enableIPv4 : enableIPv6;
      if (enabled && gatewayMode(network, subnet.family) !== 'isolated') return whole;
      const { gateway: _, ...rest } = whole;
      return pool.gateway === undefined ? rest : whole;
    };
    const pools: IpamPool[] = [];
    for (const pool of given) {
      const subnet = pool.subnet === undefined ? ipam.freeSubnet(4, [...ours, ...routes]) : readSubnet(pool.subnet);
      if (ours.some((other) => overlaps(other, subnet))) {
        throw forbidden('invalid pool request: Pool overlaps with other one on this address space');
      }
      ours.push(subnet);
      pools.push(complete(pool, subnet));
    }
    const has = (family: 4 | 6) => pools.some((pool) => parseSubnet(pool.subnet).family === family);
    if (enableIPv4 && !has(4)) pools.push(complete({}, ipam.freeSubnet(4, [...ours, ...routes])));
    if (enableIPv6 && !has(6)) pools.push(complete({}, uniqueLocal(id)));
    return pools;
  }

  async #hostSubnets(): Promise<Subnet[]> {
    const routes = await this.#options.links.routes();
    return routes.map((route) => parseSubnet(route.destination)).filter((subnet) => subnet.prefix > 0);
  }
}

/** A network as it is asked for, with an id, without its pools. */
function draft(request: NetworkRequest, driver: string): Network {
  const { name, scope, configFrom, ipam } = request;
  return {
    id: newId(),
    name,
    driver,
    createdAt: Date.now(),
    internal: request.internal ?? false,
    attachable: request.attachable ?? false,
    enableIPv4: request.enableIPv4 ?? true,
    enableIPv6: request.enableIPv6 ?? false,
    ipam: { driver: ipam?.driver ?? 'default', options: ipam?.options ?? {}, pools: [] },
    options: request.options ?? {},
    labels: request.labels ?? {},
    ...(scope === undefined ? {} : { scope }),
    ...(configFrom === undefined ? {} : { configFrom }),
  };
}

function checkIpamDriver({ ipam }: NetworkRequest): void {
  const driver = ipam?.driver ?? '';
  if (!['', 'default', 'null'].includes(driver)) throw notFound(`plugin "${driver}" not found`);
}

/** A unique local /64 (RFC 4193) from a network's id: the 40 random bits that the RFC asks for. */
function uniqueLocal(id: string): Subnet {
  const bits = id.slice(0, 10);
  return parseSubnet(formatSubnet(parseSubnet(`fd${bits.slice(0, 2)}:${bits.slice(2, 6)}:${bits.slice(6, 10)}::/64`)));
}
