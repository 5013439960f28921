/** A base chain of any table that packets pass. */
export interface BaseChain {
  readonly family: string;
  readonly table: string;
  readonly chain: string;
  readonly hook: string;
  readonly priority: number;
  readonly policy: string;
}

/** One rule of a table, by what it can be deleted by. */
export interface RuleHandle {
  readonly chain: string;
  readonly handle: number;
  readonly comment: string;
}

/** What somebody, perhaps this process itself, changed in the packet filter. */
export interface FirewallChange {
  /** `rules`: tables, chains or rules came or went. `lost`: reports were dropped, so anything may have changed. */
  readonly kind: 'rules' | 'lost';
  /** The table, as `FAMILY NAME`; empty for `lost`. */
  readonly table: string;
  /** Something was taken away. */
  readonly removed: boolean;
}

/** The kernel's packet filter in nft's language: of this process's network namespace, or of the one pinned at `netns`. */
export interface Firewall {
  /** Loads `ruleset` in one transaction: all of it or nothing. Throws `unavailable` with nft's own message. */
  load(ruleset: string, netns?: string): Promise<void>;
  /** Names of tables, as `FAMILY NAME`. */
  tables(netns?: string): Promise<string[]>;
  /** Base chains of every table, foreign ones included. */
  baseChains(netns?: string): Promise<BaseChain[]>;
  /** Names of the chains of a table, and its rules. A table that is not there has none. */
  contents(
    family: string,
    table: string,
    netns?: string,
  ): Promise<{ readonly chains: readonly string[]; readonly rules: readonly RuleHandle[] }>;
  /** The text of one table as `nft list table` prints it; undefined when there is none. */
  table(family: string, name: string, netns?: string): Promise<string | undefined>;
  /**
   * Tells of every change to tables, chains and rules of this process's network namespace (not of set elements), as the
   * kernel reports it after each transaction. Dispose to end it. Throws `unavailable`.
   */
  watch(listener: (change: FirewallChange) => void): Disposable;
}
