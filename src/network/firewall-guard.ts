import { type Logger, messageOf } from '#base';
import type { Firewall, FirewallChange } from '#host';
import type { ForeignChains } from './foreign-chains.ts';
import type { PacketRules } from './packet-rules.ts';

/** What the guard works with. */
export interface FirewallGuardOptions {
  readonly firewall: Firewall;
  /** Name of our tables, without family. */
  readonly table: string;
  readonly rules: PacketRules;
  readonly foreign: ForeignChains;
  readonly log: Logger;
}

/** Foreign firewalls are set up in many transactions: they are looked at once, this long (ms) after a change. */
const SETTLE = 250;

/**
 * Keeps our rules in force while others change the host's firewall: what was flushed is loaded again at once, and a
 * foreign chain that has come to drop forwarded packets is told to let ours through. Driven by the kernel's reports.
 */
export class FirewallGuard {
  readonly #options: FirewallGuardOptions;
  #watch: Disposable | undefined;
  #timer: NodeJS.Timeout | undefined;
  #repairing: Promise<void> | undefined;
  #again = false;

  constructor(options: FirewallGuardOptions) {
    this.#options = options;
  }

  /** Begins to watch. Harmless when repeated. */
  start(): void {
    this.#watch ??= this.#options.firewall.watch((change) => this.#hear(change));
  }

  /** Stops watching; resolves when nothing is under way any more. */
  async stop(): Promise<void> {
    this.#watch?.[Symbol.dispose]();
    this.#watch = undefined;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    await this.#repairing;
  }

  #hear(change: FirewallChange): void {
    const ours = change.table.split(' ')[1] === this.#options.table;
    if (change.removed && (ours || change.kind === 'lost')) this.#repair();
    if (!ours && !/^\w+ berth_/.test(change.table)) this.#lookSoon();
  }

  /** One repair at a time; what is heard meanwhile leads to one more look. Our own loads are heard too, and pass it. */
  #repair(): void {
    if (this.#repairing) {
      this.#again = true;
      return;
    }
    this.#repairing = this.#repairOnce().finally(() => {
      this.#repairing = undefined;
      if (this.#again && this.#watch) this.#repair();
      this.#again = false;
    });
  }

  async #repairOnce(): Promise<void> {
    const { rules, log } = this.#options;
    try {
      if (await rules.repair()) log.warn('the packet rules were removed by somebody else; they are loaded again');
    } catch (error) {
      log.error('cannot load the packet rules again', { error: messageOf(error) });
    }
  }

  #lookSoon(): void {
    if (!this.#watch) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      const { foreign, log } = this.#options;
      foreign.admit().catch((error) => log.warn('cannot look at the host firewall', { error: messageOf(error) }));
    }, SETTLE).unref();
  }
}
