import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { HostLimits } from '../containers/create/validate.ts';

/** What this host can limit: read once at start. */
export function readHostLimits(): HostLimits {
  return {
    cpus: availableParallelism(),
    swap: existsSync('/sys/fs/cgroup/memory/memory.memsw.limit_in_bytes') || swapOnV2(),
  };
}

/** cgroup v2 has swap limits wherever the memory controller is and the kernel knows swap. */
function swapOnV2(): boolean {
  return existsSync('/sys/fs/cgroup/cgroup.controllers') && existsSync('/proc/swaps');
}
