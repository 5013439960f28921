import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Logger, messageOf, newId, shortId } from '#base';
import type { Links, NetworkNamespaces } from '#host';
import { randomMac } from './bridge-driver.ts';
import type { PreparedNames } from './dns/name-service.ts';

/** A namespace with loopback up and a veth pair whose near end waits for a bridge. */
export interface ReadySandbox {
  readonly id: string;
  readonly netns: string;
  readonly hostLink: string;
  /** DNS sockets, in a sandbox made for a user-defined network. Whoever takes the sandbox serves or closes them. */
  readonly names?: PreparedNames;
}

/** What the pool works with. */
export interface SandboxPoolOptions {
  readonly namespaces: NetworkNamespaces;
  readonly links: Links;
  /** Directory of pinned namespaces. */
  readonly directory: string;
  readonly group: number;
  /** How many wait ready of each sort; 0 for none. */
  readonly size: number;
  readonly prepareNames: (netns: string) => Promise<PreparedNames>;
  readonly log: Logger;
}

/** Wait before refilling, in ms: lets the start that took a sandbox go first. */
const REFILL_DELAY = 100;

/** Sandboxes made ahead, so that opening one costs an address and a route. */
export class SandboxPool {
  readonly #options: SandboxPoolOptions;
  readonly #plain: ReadySandbox[] = [];
  readonly #named: ReadySandbox[] = [];
  #wantsNames = false;
  #filling: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #closed = true;

  constructor(options: SandboxPoolOptions) {
    this.#options = options;
  }

  /** Begins filling, in the background. */
  start(): void {
    this.#closed = false;
    this.#refillSoon(0);
  }

  /** From now on sandboxes with DNS wait ready too: there are user-defined networks. */
  expectNames(): void {
    this.#wantsNames = true;
    this.#refillSoon(REFILL_DELAY);
  }

  /** A ready sandbox, with DNS prepared where wanted and possible, or one made now. The caller owns it. */
  async take(want: { names: boolean }): Promise<ReadySandbox> {
    const ready = (want.names ? this.#named.shift() : undefined) ?? this.#plain.shift();
    this.#refillSoon(REFILL_DELAY);
    return ready ?? this.make({ link: true });
  }

  /** A namespace with loopback up; with `link` also the veth pair. */
  async make(want: { link: boolean }): Promise<ReadySandbox> {
    const { namespaces, links, directory, group } = this.#options;
    const id = newId();
    const netns = join(directory, shortId(id));
    const hostLink = newHostLink();
    await namespaces.create(netns);
    try {
      namespaces.enter(netns, allowLowPortsAndPing);
      await links.apply([{ op: 'set', name: 'lo', up: true }], netns);
      if (want.link) {
        await links.apply([
          { op: 'add-veth', name: hostLink, group, peerName: 'eth0', peerNetns: netns, peerMac: randomMac() },
        ]);
      }
    } catch (error) {
      await namespaces.remove(netns);
      throw error;
    }
    return { id, netns, hostLink };
  }

  /** Removes a sandbox with its link. Harmless when repeated. */
  async discard(sandbox: Pick<ReadySandbox, 'netns' | 'hostLink'>): Promise<void> {
    await this.#options.links.apply([{ op: 'delete', name: sandbox.hostLink }]);
    await this.#options.namespaces.remove(sandbox.netns);
  }

  /** Stops filling and removes what waits. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await this.#filling;
    for (const sandbox of [...this.#plain.splice(0), ...this.#named.splice(0)]) {
      sandbox.names?.close();
      await this.discard(sandbox);
    }
  }

  #refillSoon(delay: number): void {
    if (this.#closed || this.#timer !== undefined || this.#missing() === undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#filling = this.#filling.then(() => this.#fill());
    }, delay).unref();
  }

  /** The sort that there are too few of. */
  #missing(): 'plain' | 'named' | undefined {
    const { size } = this.#options;
    if (this.#plain.length < size) return 'plain';
    return this.#wantsNames && this.#named.length < size ? 'named' : undefined;
  }

  async #fill(): Promise<void> {
    try {
      for (let sort = this.#missing(); !this.#closed && sort !== undefined; sort = this.#missing()) {
        const made = await this.make({ link: true });
        if (sort === 'plain') this.#plain.push(made);
        else this.#named.push(await this.#withNames(made));
      }
    } catch (error) {
      this.#options.log.warn('cannot prepare network sandboxes ahead', { error: messageOf(error) });
    }
  }

  async #withNames(made: ReadySandbox): Promise<ReadySandbox> {
    try {
      return { ...made, names: await this.#options.prepareNames(made.netns) };
    } catch (error) {
      await this.discard(made);
      throw error;
    }
  }
}

/** What Docker allows every container in its own namespace: ports below 1024 and ping, for any user (ip(7), icmp(7)). */
function allowLowPortsAndPing(): void {
  writeFileSync('/proc/sys/net/ipv4/ip_unprivileged_port_start', '0');
  writeFileSync('/proc/sys/net/ipv4/ping_group_range', '0 2147483647');
}

/** A new name for the host's end of a veth pair. */
export function newHostLink(): string {
  return `veth${randomBytes(4).toString('hex')}`;
}
