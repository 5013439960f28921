import type { Readable } from 'node:stream';
import type {
  AuthConfig,
  AuthResponse,
  BuildPruneReport,
  DiskUsage,
  EventMessage,
  SystemInfo,
  SystemVersion,
} from '#api-types';
import type { Cancellable } from './containers.ts';
import { filtersQuery } from './filters.ts';
import { textLines } from './json-lines.ts';
import type { Transport } from './transport.ts';

/** Docker's calls about the engine itself. */
export class SystemClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  /** Answers when the daemon is there. */
  async ping(options: Cancellable = {}): Promise<void> {
    await this.#transport.text({ method: 'GET', path: '/_ping', ...options });
  }

  version(): Promise<SystemVersion> {
    return this.#transport.json({ method: 'GET', path: '/version' });
  }

  info(): Promise<SystemInfo> {
    return this.#transport.json({ method: 'GET', path: '/info' });
  }

  diskUsage(): Promise<DiskUsage> {
    return this.#transport.json({ method: 'GET', path: '/system/df' });
  }

  /** Checks credentials with their registry. */
  login(auth: AuthConfig): Promise<AuthResponse> {
    return this.#transport.json({ method: 'POST', path: '/auth', body: auth });
  }

  /**
   * Events, the line as it came with each: nanoseconds are too large for a JavaScript number. Resolves when the daemon
   * has accepted, so that what happens after is not missed.
   */
  async subscribe(
    options: { since?: string; until?: string; filters?: readonly string[] } & Cancellable = {},
  ): Promise<AsyncGenerator<{ event: EventMessage; line: string }>> {
    const { since, until, filters = [], signal } = options;
    const response = await this.#transport.stream({
      method: 'GET',
      path: '/events',
      query: { since: since || undefined, until: until || undefined, filters: filtersQuery(filters) },
      ...(signal ? { signal } : {}),
    });
    return readEvents(response);
  }

  /** {@link SystemClient.subscribe} as one generator. */
  async *events(
    options: { since?: string; until?: string; filters?: readonly string[] } & Cancellable = {},
  ): AsyncGenerator<{ event: EventMessage; line: string }> {
    yield* await this.subscribe(options);
  }

  pruneBuildCache(options: { all?: boolean; filters?: readonly string[] } = {}): Promise<BuildPruneReport> {
    const query = { all: options.all || undefined, filters: filtersQuery(options.filters ?? []) };
    return this.#transport.json({ method: 'POST', path: '/build/prune', query });
  }
}

async function* readEvents(source: Readable): AsyncGenerator<{ event: EventMessage; line: string }> {
  for await (const line of textLines(source)) {
    if (line.trim() !== '') yield { event: JSON.parse(line) as EventMessage, line };
  }
}
