import { writeFileSync } from 'node:fs';
import { unavailable } from '#base';
import type { Link, Links } from '#host';

/** What the detour is made with. */
export interface InputDetourOptions {
  readonly links: Links;
  /** Link group of the instance. */
  readonly group: number;
}

/** The source check of a link without an address refuses everything, whatever it is set to; so it has one. */
const ADDRESS = '169.254.98.98/32';
/** Both ends have it: without neighbour look-up a frame goes to the sender's own. */
const MAC = '02:62:00:00:00:01';
/** rp_filter (kernel doc ip-sysctl): the source must be reachable by any link, not by this one. */
const LOOSE = '2';

/**
 * A pair of links of the host, connected to each other: a packet that the host's input rules have let pass goes out at one
 * end and comes in again at the other, there to be translated (see `askingChains` in ruleset.ts).
 */
export class InputDetour {
  readonly #links: Links;
  readonly #group: number;
  #making: Promise<number> | undefined;

  constructor({ links, group }: InputDetourOptions) {
    this.#links = links;
    this.#group = group;
  }

  /** Names of the ends. */
  get names(): { readonly out: string; readonly back: string } {
    const id = this.#group.toString(16);
    return { out: `bo${id}`, back: `bi${id}` };
  }

  /** Makes the pair where it is missing; gives the interface index of its way out. */
  up(): Promise<number> {
    this.#making ??= this.#make().finally(() => {
      this.#making = undefined;
    });
    return this.#making;
  }

  async #make(): Promise<number> {
    const { out, back } = this.names;
    const there = await this.#find();
    if (there?.up) return there.index;
    const group = this.#group;
    await this.#links.apply([
      { op: 'delete', name: out },
      { op: 'add-veth', name: out, group, peerName: back, peerNetns: '/proc/self/ns/net', peerMac: MAC },
    ]);
    try {
      writeFileSync(`/proc/sys/net/ipv4/conf/${back}/rp_filter`, LOOSE);
      await this.#links.apply([
        { op: 'add-address', name: back, address: ADDRESS },
        { op: 'set', name: back, arp: false, up: true },
        { op: 'set', name: out, mac: MAC, arp: false, up: true },
      ]);
    } catch (error) {
      await this.down();
      throw error;
    }
    const made = await this.#find();
    if (!made) throw unavailable(`the network interface ${out} is gone as soon as it was made`);
    return made.index;
  }

  async #find(): Promise<Link | undefined> {
    return (await this.#links.list()).find((link) => link.name === this.names.out);
  }

  /** Removes the pair. Harmless when repeated. */
  async down(): Promise<void> {
    await this.#links.apply([{ op: 'delete', name: this.names.out }]);
  }
}
