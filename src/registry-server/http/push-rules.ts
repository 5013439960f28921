import { fault } from '../faults.ts';
import type { ListRecords, Quota } from '../records/records.ts';

/** What {@link PushRules} are made of. */
export interface PushRulesOptions {
  readonly readOnly: boolean;
  readonly deletes: boolean;
  readonly quotas: readonly Quota[];
  readonly records: Pick<ListRecords, 'usage'>;
  /** True for repositories that are copies of another registry's. */
  readonly isCached: (repository: string) => boolean;
}

/** What may be written where, whoever asks. */
export class PushRules {
  readonly #options: PushRulesOptions;

  constructor(options: PushRulesOptions) {
    this.#options = options;
  }

  /** Throws UNSUPPORTED when nothing can be pushed there. */
  requireWritable(repository: string): void {
    if (this.#options.readOnly) throw fault('UNSUPPORTED', 'this registry is in read-only mode');
    if (this.#options.isCached(repository)) {
      throw fault('UNSUPPORTED', `${repository} is a cache of another registry; push there`);
    }
  }

  /** Throws UNSUPPORTED when nothing can be deleted. Copies in a cache can be. */
  requireDeletable(_repository: string): void {
    if (this.#options.readOnly) throw fault('UNSUPPORTED', 'this registry is in read-only mode');
    if (!this.#options.deletes) throw fault('UNSUPPORTED', 'deleting is switched off in this registry');
  }

  /** The quotas that cover a repository. */
  quotasOf(repository: string): Quota[] {
    return this.#options.quotas.filter((quota) => repository.startsWith(quota.prefix));
  }

  /** Bytes that may still be pushed there; infinite without a quota. */
  async room(repository: string): Promise<number> {
    const rooms = await Promise.all(
      this.quotasOf(repository).map(async ({ prefix, bytes }) => bytes - (await this.#options.records.usage(prefix))),
    );
    return Math.min(Number.POSITIVE_INFINITY, ...rooms);
  }
}
