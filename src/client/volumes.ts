import type { Readable } from 'node:stream';
import type { Volume, VolumeCreateRequest, VolumeList, VolumesPruneReport } from '#api-types';
import { filtersQuery } from './filters.ts';
import type { Transport } from './transport.ts';

const at = (name: string): string => `/volumes/${encodeURIComponent(name)}`;

/** Docker's volume calls. */
export class VolumesClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(filters: readonly string[] = []): Promise<VolumeList> {
    return this.#transport.json({ method: 'GET', path: '/volumes', query: { filters: filtersQuery(filters) } });
  }

  create(body: VolumeCreateRequest): Promise<Volume> {
    return this.#transport.json({ method: 'POST', path: '/volumes/create', body });
  }

  /** The answer of inspect exactly as the daemon wrote it. */
  inspectText(name: string): Promise<string> {
    return this.#transport.text({ method: 'GET', path: at(name) });
  }

  remove(name: string, options: { force?: boolean } = {}): Promise<void> {
    return this.#transport.json({ method: 'DELETE', path: at(name), query: { force: options.force || undefined } });
  }

  /** A Berth call: makes a volume with the data of another. */
  clone(source: string, body: { Name: string; Labels?: Readonly<Record<string, string>> }): Promise<Volume> {
    return this.#transport.json({ method: 'POST', path: `/berth${at(source)}/clone`, body });
  }

  /** A Berth call: a tar of all that is in the volume. */
  export(name: string): Promise<Readable> {
    return this.#transport.stream({ method: 'GET', path: `/berth${at(name)}/export` });
  }

  /** A Berth call: fills a new or an empty volume from a tar; `labels` (`key=value`) are for a new one. */
  import(name: string, tar: Readable, labels: readonly string[] = []): Promise<Volume> {
    const path = `/berth${at(name)}/import`;
    return this.#transport.json({ method: 'POST', path, query: { label: labels }, upload: tar });
  }

  /** A Berth call: gives an unused volume another name. */
  rename(name: string, newName: string): Promise<Volume> {
    return this.#transport.json({ method: 'POST', path: `/berth${at(name)}/rename`, body: { Name: newName } });
  }

  prune(filters: readonly string[] = []): Promise<VolumesPruneReport> {
    return this.#transport.json({ method: 'POST', path: '/volumes/prune', query: { filters: filtersQuery(filters) } });
  }
}
