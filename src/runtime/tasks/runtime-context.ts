import type { Logger } from '#base';
import type { CgroupLayout, Processes } from '#host';
import type { MachineCounters } from './machine-counters.ts';
import type { SeccompCache } from './seccomp-cache.ts';

/** What every task of one engine shares. */
export interface RuntimeContext {
  readonly processes: Processes;
  /** Path of conmon. */
  readonly conmon: string;
  readonly cgroups: CgroupLayout;
  readonly machine: MachineCounters;
  readonly logger: Logger;
  readonly seccomp: SeccompCache;
  /** Milliseconds until a runtime that does not report is given up. */
  readonly patience: number;
}
