import type {
  EndpointSettings,
  NetworkCreateRequest,
  NetworkCreateResponse,
  NetworkInspect,
  NetworksPruneReport,
} from '#api-types';
import { filtersQuery } from './filters.ts';
import type { Transport } from './transport.ts';

const at = (name: string, action = ''): string => `/networks/${encodeURIComponent(name)}${action}`;

/** Docker's network calls. */
export class NetworksClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(filters: readonly string[] = []): Promise<NetworkInspect[]> {
    return this.#transport.json({ method: 'GET', path: '/networks', query: { filters: filtersQuery(filters) } });
  }

  create(body: NetworkCreateRequest): Promise<NetworkCreateResponse> {
    return this.#transport.json({ method: 'POST', path: '/networks/create', body });
  }

  /** The answer of inspect exactly as the daemon wrote it. */
  inspectText(name: string, options: { verbose?: boolean } = {}): Promise<string> {
    const query = { verbose: options.verbose ? 'true' : undefined };
    return this.#transport.text({ method: 'GET', path: at(name), query });
  }

  remove(name: string): Promise<void> {
    return this.#transport.json({ method: 'DELETE', path: at(name) });
  }

  connect(name: string, container: string, endpoint: Partial<EndpointSettings> = {}): Promise<void> {
    const body = { Container: container, EndpointConfig: endpoint };
    return this.#transport.json({ method: 'POST', path: at(name, '/connect'), body });
  }

  disconnect(name: string, container: string, force: boolean): Promise<void> {
    const body = { Container: container, Force: force };
    return this.#transport.json({ method: 'POST', path: at(name, '/disconnect'), body });
  }

  prune(filters: readonly string[] = []): Promise<NetworksPruneReport> {
    return this.#transport.json({ method: 'POST', path: '/networks/prune', query: { filters: filtersQuery(filters) } });
  }
}
