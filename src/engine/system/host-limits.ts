import { existsSync, readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import type { HostLimits } from '../containers/create/validate.ts';

/** What this host can limit: read once at start. `root` is where the cgroups are mounted. */
export function readHostLimits(root = '/sys/fs/cgroup'): HostLimits {
  // Only a v2 hierarchy has this file at its root; it lists what v2 itself controls (cgroup-v2.rst).
  const onV2 = existsSync(`${root}/cgroup.controllers`);
  const controllers = onV2 ? readFileSync(`${root}/cgroup.controllers`, 'latin1').trim().split(' ') : [];
  return {
    cpus: availableParallelism(),
    memoryNodes: readMemoryNodes(),
    // cgroup v2 has swap limits wherever the memory controller is and the kernel knows swap.
    swap:
      existsSync(`${root}/memory/memory.memsw.limit_in_bytes`) ||
      (controllers.includes('memory') && existsSync('/proc/swaps')),
    blkioWeight: existsSync(`${root}/blkio/blkio.weight`) || controllers.includes('io'),
    cgroupnsMode: onV2 ? 'private' : 'host',
    leastOomScore: leastOomScore(),
    apparmor: appArmorEnabled(),
  };
}

/** Without CAP_SYS_RESOURCE a process may raise its score but not lower it (proc(5), oom_score_adj). */
function leastOomScore(): number {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  const canLower = ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n;
  return canLower ? -1000 : Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
}

function appArmorEnabled(): boolean {
  try {
    return readFileSync('/sys/module/apparmor/parameters/enabled', 'latin1').startsWith('Y');
  } catch {
    return false;
  }
}

/** `0-1,3` in has_memory (Documentation/admin-guide/mm/numaperf); a kernel without NUMA has node 0 alone. */
function readMemoryNodes(): number[] {
  try {
    const text = readFileSync('/sys/devices/system/node/has_memory', 'latin1').trim();
    return text.split(',').flatMap((part) => {
      const [from = 0, to = from] = part.split('-').map(Number);
      return Array.from({ length: to - from + 1 }, (_, index) => from + index);
    });
  } catch {
    return [0];
  }
}
