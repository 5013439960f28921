import type { Database } from '#metadata';
import type { Endpoint, EndpointRequest, PortBinding, PortRequest, SandboxRequest } from './network.ts';

/** An endpoint as stored: what was asked for, what came of it, and the host's end. */
export interface EndpointRecord {
  readonly request: EndpointRequest;
  readonly endpoint: Endpoint;
  /** Empty where none of it is on the host: off a bridge, where no ports can be published. */
  readonly hostLink: string;
}

/** A sandbox as stored: enough to repair or remove it after the daemon died at any point. */
export interface SandboxRecord {
  readonly id: string;
  readonly owner: SandboxRequest['owner'];
  /** Empty for the host's own namespace. */
  readonly netns: string;
  readonly endpoints: readonly EndpointRecord[];
  readonly ports: readonly PortBinding[];
  readonly dns: SandboxRequest['dns'];
  readonly extraHosts: readonly string[];
  /** It answers only to names that nobody else on the network has: it waits for its turn, or had it. */
  readonly standby?: boolean;
  /** Ports that it publishes when its turn comes. */
  readonly awaited?: readonly PortRequest[];
}

/** The record of an owner with another name, which DNS knows it by. */
export function renamed(record: SandboxRecord, name: string): SandboxRecord {
  const endpoints = record.endpoints.map((known) => {
    const dnsNames = known.endpoint.dnsNames.map((word) => (word === record.owner.name ? name : word));
    return { ...known, endpoint: { ...known.endpoint, dnsNames } };
  });
  return { ...record, owner: { ...record.owner, name }, endpoints };
}

/** Sandboxes in memory and, at the same moment, in the database. */
export class SandboxRecords {
  readonly #database: Database;
  readonly #byOwner = new Map<string, SandboxRecord>();

  constructor(database: Database) {
    this.#database = database;
    for (const row of database.all<{ owner: string; record: string }>('SELECT * FROM network_sandboxes')) {
      this.#byOwner.set(row.owner, JSON.parse(row.record) as SandboxRecord);
    }
  }

  get(ownerId: string): SandboxRecord | undefined {
    return this.#byOwner.get(ownerId);
  }

  all(): SandboxRecord[] {
    return [...this.#byOwner.values()];
  }

  /** All endpoints on a network, in the order in which their sandboxes were opened. */
  on(networkId: string): { readonly record: SandboxRecord; readonly endpoint: Endpoint }[] {
    return this.all().flatMap((record) =>
      record.endpoints
        .filter(({ endpoint }) => endpoint.networkId === networkId)
        .map(({ endpoint }) => ({ record, endpoint })),
    );
  }

  /** Stores a new or changed sandbox. */
  put(record: SandboxRecord): void {
    this.#database.run(
      'INSERT INTO network_sandboxes VALUES (?, ?) ON CONFLICT (owner) DO UPDATE SET record = excluded.record',
      record.owner.id,
      JSON.stringify(record),
    );
    this.#byOwner.set(record.owner.id, record);
  }

  /** Hides a sandbox that is on its way out. The database keeps it: it is there again after a crash. */
  leave(ownerId: string): void {
    this.#byOwner.delete(ownerId);
  }

  /** Forgets a sandbox for good. Harmless when repeated. */
  delete(ownerId: string): void {
    this.leave(ownerId);
    this.#database.run('DELETE FROM network_sandboxes WHERE owner = ?', ownerId);
  }
}
