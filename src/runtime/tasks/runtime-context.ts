import type { Logger } from '#base';
import type { CgroupLayout, Processes } from '#host';

/** What every task of one engine shares. */
export interface RuntimeContext {
  readonly processes: Processes;
  /** Path of conmon. */
  readonly conmon: string;
  readonly cgroups: CgroupLayout;
  readonly logger: Logger;
}
