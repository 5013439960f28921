import type { IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import type {
  AuthConfig,
  AuthConfigs,
  DistributionInspect,
  ImageDeleteItem,
  ImageHistoryItem,
  ImageInspect,
  ImageRollback,
  ImageSearchResult,
  ImageSummary,
  ImagesPruneReport,
  ImageVersion,
  ProgressMessage,
} from '#api-types';
import type { Cancellable } from './containers.ts';
import { filtersQuery } from './filters.ts';
import { jsonLines } from './json-lines.ts';
import { registryAuthHeader, registryConfigHeader } from './registry-auth.ts';
import type { Call, Query, Transport } from './transport.ts';

const at = (name: string, action = ''): string =>
  `/images/${name.split('/').map(encodeURIComponent).join('/')}${action}`;

/** Docker's image calls, and Berth's own: versions of a tag, and base images from a distribution's packages. */
export class ImagesClient {
  readonly #transport: Transport;

  constructor(transport: Transport) {
    this.#transport = transport;
  }

  list(options: { all?: boolean; filters?: readonly string[]; sharedSize?: boolean } = {}): Promise<ImageSummary[]> {
    const query = {
      all: options.all || undefined,
      filters: filtersQuery(options.filters ?? []),
      'shared-size': options.sharedSize || undefined,
    };
    return this.#transport.json({ method: 'GET', path: '/images/json', query });
  }

  inspect(name: string): Promise<ImageInspect> {
    return this.#transport.json({ method: 'GET', path: at(name, '/json') });
  }

  /** The answer of inspect exactly as the daemon wrote it. */
  inspectText(name: string, options: { platform?: string } = {}): Promise<string> {
    return this.#transport.text({ method: 'GET', path: at(name, '/json'), query: { platform: options.platform } });
  }

  history(name: string, options: { platform?: string } = {}): Promise<ImageHistoryItem[]> {
    return this.#transport.json({ method: 'GET', path: at(name, '/history'), query: { platform: options.platform } });
  }

  tag(name: string, target: { repo: string; tag: string }): Promise<void> {
    return this.#transport.json({ method: 'POST', path: at(name, '/tag'), query: target });
  }

  remove(name: string, options: { force?: boolean; noPrune?: boolean } = {}): Promise<ImageDeleteItem[]> {
    const query = { force: options.force || undefined, noprune: options.noPrune || undefined };
    return this.#transport.json({ method: 'DELETE', path: at(name), query });
  }

  async *#progress(call: Call): AsyncGenerator<ProgressMessage> {
    yield* jsonLines<ProgressMessage>(await this.#transport.stream(call));
  }

  pull(
    options: { image: string; tag: string; platform?: string; auth?: AuthConfig } & Cancellable,
  ): AsyncGenerator<ProgressMessage> {
    const { image, tag, platform, auth, signal } = options;
    return this.#progress({
      method: 'POST',
      path: '/images/create',
      query: { fromImage: image, tag, platform: platform || undefined },
      headers: registryAuthHeader(auth),
      ...(signal ? { signal } : {}),
    });
  }

  push(
    name: string,
    options: { tag?: string; platform?: string; auth?: AuthConfig } & Cancellable,
  ): AsyncGenerator<ProgressMessage> {
    const { tag, platform, auth, signal } = options;
    return this.#progress({
      method: 'POST',
      path: at(name, '/push'),
      query: { tag: tag || undefined, platform },
      headers: registryAuthHeader(auth),
      ...(signal ? { signal } : {}),
    });
  }

  /** A tar of images; names may be tags or ids. */
  save(names: readonly string[], options: { platform?: string } & Cancellable = {}): Promise<IncomingMessage> {
    const { platform, signal } = options;
    return this.#transport.stream({
      method: 'GET',
      path: '/images/get',
      query: { names, platform },
      ...(signal ? { signal } : {}),
    });
  }

  load(
    tar: Readable,
    options: { quiet?: boolean; platform?: string } & Cancellable = {},
  ): AsyncGenerator<ProgressMessage> {
    const { quiet = false, platform, signal } = options;
    return this.#progress({
      method: 'POST',
      path: '/images/load',
      query: { quiet, platform },
      upload: tar,
      ...(signal ? { signal } : {}),
    });
  }

  /** Makes an image of a file system: of `tar`, or of what the daemon finds at `source`. */
  import(options: {
    source: string;
    tar?: Readable;
    repo?: string;
    tag?: string;
    message?: string;
    changes?: readonly string[];
    platform?: string;
  }): AsyncGenerator<ProgressMessage> {
    const { source, tar, repo, tag, message, changes, platform } = options;
    return this.#progress({
      method: 'POST',
      path: '/images/create',
      query: { fromSrc: source, repo, tag, message: message || undefined, changes, platform: platform || undefined },
      ...(tar ? { upload: tar } : {}),
    });
  }

  /** Builds from a context; `query` is that of POST /build. */
  build(
    options: { context: Readable | undefined; query: Query; auths: AuthConfigs } & Cancellable,
  ): AsyncGenerator<ProgressMessage> {
    const { context, query, auths, signal } = options;
    return this.#progress({
      method: 'POST',
      path: '/build',
      query,
      headers: { ...registryConfigHeader(auths), 'content-type': 'application/x-tar' },
      ...(context ? { upload: context } : {}),
      ...(signal ? { signal } : {}),
    });
  }

  search(
    term: string,
    options: { limit?: number; filters?: readonly string[]; auth?: AuthConfig } = {},
  ): Promise<ImageSearchResult[]> {
    const query = { term, limit: options.limit, filters: filtersQuery(options.filters ?? []) };
    return this.#transport.json({
      method: 'GET',
      path: '/images/search',
      query,
      headers: registryAuthHeader(options.auth),
    });
  }

  /** What a registry has under a name, without pulling it. */
  remote(name: string, auth?: AuthConfig): Promise<DistributionInspect> {
    const path = `/distribution/${name.split('/').map(encodeURIComponent).join('/')}/json`;
    return this.#transport.json({ method: 'GET', path, headers: registryAuthHeader(auth) });
  }

  prune(filters: readonly string[] = []): Promise<ImagesPruneReport> {
    return this.#transport.json({ method: 'POST', path: '/images/prune', query: { filters: filtersQuery(filters) } });
  }

  /** What a tag pointed to, newest first. */
  versions(name: string): Promise<ImageVersion[]> {
    return this.#transport.json({ method: 'GET', path: '/berth/images/log', query: { name } });
  }

  /** Points a tag to an earlier version: the one before, or the one that `to` names. */
  rollBack(name: string, to?: string): Promise<ImageRollback> {
    return this.#transport.json({ method: 'POST', path: '/berth/images/rollback', query: { name, to } });
  }

  /** Makes a base image of a distribution's packages on the daemon's side. */
  bootstrap(
    options: { name: string; include?: readonly string[]; suite?: string } & Cancellable,
  ): AsyncGenerator<ProgressMessage> {
    const { name, include = [], suite, signal } = options;
    return this.#progress({
      method: 'POST',
      path: '/berth/bootstrap',
      query: { name, include: include.length === 0 ? undefined : include.join(','), suite: suite || undefined },
      ...(signal ? { signal } : {}),
    });
  }
}
