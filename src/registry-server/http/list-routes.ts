import { fault } from '../faults.ts';
import type { ListRecords } from '../records/records.ts';
import type { ManifestCache } from '../upstream/pull-through.ts';
import { type Exchange, wrongMethod } from './exchange.ts';
import { readPage, takePage } from './page.ts';

/** `/v2/_catalog` and `/v2/NAME/tags/list`. */
export class ListRoutes {
  readonly #lists: ListRecords;
  readonly #cacheFor: (repository: string) => ManifestCache | undefined;

  constructor(options: { lists: ListRecords; cacheFor: (repository: string) => ManifestCache | undefined }) {
    this.#lists = options.lists;
    this.#cacheFor = options.cacheFor;
  }

  /** All repositories that hold something. */
  async catalog(exchange: Exchange): Promise<void> {
    requireGet(exchange);
    exchange.requireScope({ type: 'registry', name: 'catalog', actions: ['*'] });
    const { entries, link } = await takePage(readPage(exchange.query), {
      list: (page) => this.#lists.repositories(page),
      key: (name) => name,
      path: '/v2/_catalog',
    });
    exchange.json(200, { repositories: entries }, link);
  }

  /** Tags of a repository; those of its upstream where it is a cache and that answers. */
  async tags(exchange: Exchange, repository: string): Promise<void> {
    requireGet(exchange);
    exchange.require(repository, ['pull']);
    const upstream = await this.#cacheFor(repository)?.tags(repository);
    if (upstream === undefined && !(await this.#lists.hasRepository(repository))) {
      throw fault('NAME_UNKNOWN', `repository ${repository} is not known to this registry`, { name: repository });
    }
    const { entries, link } = await takePage(readPage(exchange.query), {
      list: async (page) =>
        upstream?.filter((tag) => tag > page.after).slice(0, page.limit) ?? this.#lists.tags(repository, page),
      key: (tag) => tag,
      path: `/v2/${repository}/tags/list`,
    });
    exchange.json(200, { name: repository, tags: entries }, link);
  }
}

function requireGet({ method }: Exchange): void {
  if (method !== 'GET' && method !== 'HEAD') throw wrongMethod(method);
}
