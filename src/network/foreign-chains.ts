import type { BaseChain, Firewall } from '#host';

/** The chain that dockerd keeps for rules of others, and never touches itself. */
const USER_CHAIN = 'DOCKER-USER';

/** What this instance asks of other people's chains. */
export interface ForeignChainsOptions {
  readonly firewall: Firewall;
  /** Comment of our rules, by which they are found again. */
  readonly comment: string;
  /** Packets that our own table let through carry this bit of the mark. */
  readonly mark: number;
  /** Whether rules are added; without, those of an earlier start are taken away and the remedy is told. */
  readonly adds: boolean;
  /** Tells whoever runs the host, once per chain, which rule would let our packets through. */
  readonly onBlocked: (chain: string, remedy: string) => void;
  /** Tells whoever runs the host that a rule was added. */
  readonly onAdmit: (chain: string) => void;
}

/**
 * A packet passes the host only if every chain on the forward hook lets it: dockerd and ufw set policy drop on theirs, and
 * no verdict of our table can overrule that. The smallest remedy is one rule per such chain that accepts what our
 * table has marked; dockerd documents DOCKER-USER as the place for it. Nothing else of a foreign table is read
 * or changed, and the rule goes when the engine leaves the host (docs/decisions/011-host-firewall.md).
 */
export class ForeignChains {
  readonly #options: ForeignChainsOptions;
  readonly #told = new Set<string>();

  constructor(options: ForeignChainsOptions) {
    this.#options = options;
  }

  /** Adds the rule wherever it is needed and missing, or tells of it where none is to be added. */
  async admit(): Promise<void> {
    const { firewall, comment, mark, adds, onAdmit, onBlocked } = this.#options;
    if (!adds) await this.withdraw();
    for (const { family, table, chain } of await this.#blocking()) {
      const { chains, rules } = await firewall.contents(family, table);
      if (rules.some((rule) => rule.comment === comment)) continue;
      const place = chains.includes(USER_CHAIN) ? USER_CHAIN : chain;
      const bit = `0x${mark.toString(16)}`;
      const name = `${family} ${table} ${place}`;
      const rule = `insert rule ${name} meta mark and ${bit} == ${bit} counter accept`;
      if (adds) {
        await firewall.load(`${rule} comment "${comment}"`);
        onAdmit(name);
      } else if (!this.#told.has(name)) {
        this.#told.add(name);
        onBlocked(name, `nft '${rule}'`);
      }
    }
  }

  /** Takes our rules out again. */
  async withdraw(): Promise<void> {
    const { firewall, comment } = this.#options;
    for (const name of await firewall.tables()) {
      const [family = '', table = ''] = name.split(' ');
      if (table.startsWith('berth_')) continue;
      const { rules } = await firewall.contents(family, table);
      const ours = rules.filter((rule) => rule.comment === comment);
      for (const { chain, handle } of ours) {
        await firewall.load(`delete rule ${family} ${table} ${chain} handle ${handle}`);
      }
    }
  }

  async #blocking(): Promise<BaseChain[]> {
    const chains = await this.#options.firewall.baseChains();
    return chains.filter(
      (chain) =>
        chain.hook === 'forward' &&
        chain.policy === 'drop' &&
        ['ip', 'ip6', 'inet'].includes(chain.family) &&
        !chain.table.startsWith('berth_'),
    );
  }
}
