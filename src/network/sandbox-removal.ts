import { type Logger, messageOf } from '#base';
import type { NetworkNamespaces } from '#host';
import type { Database } from '#metadata';
import type { NameService } from './dns/name-service.ts';
import type { Ipam } from './ipam.ts';
import type { NetworkCatalog } from './network-catalog.ts';
import type { PacketRules } from './packet-rules.ts';
import { type PublishedPorts, portRules } from './published-ports.ts';
import type { SandboxRecord, SandboxRecords } from './sandbox-records.ts';
import { attachment, portTargets } from './sandbox-wiring.ts';

/** What the removal works with. */
export interface SandboxRemovalOptions {
  readonly database: Database;
  readonly namespaces: NetworkNamespaces;
  readonly ipam: Ipam;
  readonly catalog: NetworkCatalog;
  readonly records: SandboxRecords;
  readonly ports: PublishedPorts;
  readonly rules: PacketRules;
  readonly names: NameService;
  readonly log: Logger;
}

interface Leaving {
  /** The kernel's part, which may be tried again. */
  readonly dissolve: () => Promise<void>;
  /** Never rejects; false after a failure. */
  readonly done: Promise<boolean>;
}

/**
 * Takes sandboxes away in two steps. Leaving is quick: names, ports and the endpoint itself are gone for everybody.
 * Dissolving is slow, as the kernel waits 20-80 ms for each round of links: it goes on by itself, and only who wants
 * what a leaving sandbox still holds (an address, its owner's next sandbox) waits for it. The record in the database
 * stays until then, so that after a crash the next start dissolves it.
 */
export class SandboxRemoval {
  readonly #options: SandboxRemovalOptions;
  readonly #leaving = new Map<string, Leaving>();

  constructor(options: SandboxRemovalOptions) {
    this.#options = options;
  }

  /** Resolves when nobody can see or reach the sandbox any more. Links, namespace and addresses follow. */
  async leave(record: SandboxRecord): Promise<void> {
    const { names, rules, ports, records } = this.#options;
    const ownerId = record.owner.id;
    names.stop(ownerId);
    await rules.removePorts(portRules(record.ports, portTargets(record)));
    ports.release(ownerId);
    const dissolve = this.#dissolution(record);
    records.leave(ownerId);
    this.#leaving.set(ownerId, { dissolve, done: this.#try(ownerId, dissolve) });
  }

  /** Resolves when nothing of the owner's last sandbox is left. Tries again what failed before, and throws its error. */
  async finished(ownerId: string): Promise<void> {
    const leaving = this.#leaving.get(ownerId);
    if (leaving === undefined || (await leaving.done)) return;
    await leaving.dissolve();
    this.#leaving.delete(ownerId);
  }

  /** Waits for all that is under way; false when nothing was. */
  async settle(): Promise<boolean> {
    if (this.#leaving.size === 0) return false;
    await Promise.all([...this.#leaving.values()].map(({ done }) => done));
    return true;
  }

  async #try(ownerId: string, dissolve: () => Promise<void>): Promise<boolean> {
    try {
      await dissolve();
      this.#leaving.delete(ownerId);
      return true;
    } catch (error) {
      this.#options.log.error('cannot take down a network sandbox', { container: ownerId, error: messageOf(error) });
      return false;
    }
  }

  /** The second step, made while the networks are still known: nobody need keep them for a sandbox that leaves. */
  #dissolution(record: SandboxRecord): () => Promise<void> {
    const { catalog, namespaces, database, records, ipam } = this.#options;
    const detachments = record.endpoints
      .filter(({ endpoint }) => record.netns !== '' && catalog.has(endpoint.networkId))
      .map((known) => {
        const driver = catalog.driver(catalog.get(known.endpoint.networkId).driver);
        return () => driver.detach(attachment(record, known, { ready: false }));
      });
    return async () => {
      await Promise.all(detachments.map((detach) => detach()));
      if (record.netns !== '') await namespaces.remove(record.netns);
      database.transaction(() => {
        ipam.release(record.owner.id);
        records.delete(record.owner.id);
      });
    };
  }
}
