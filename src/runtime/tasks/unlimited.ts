import type { Cgroup } from '#host';
import type { RuntimeResources } from '#oci';

/** The kernel's default, microseconds (sched-bwc.rst). */
const defaultPeriod = 100_000;

/**
 * The limits without those that say "none": a new cgroup has none, and crun cannot write them (it takes -1 for a number
 * of the kernel's, which v1 and v2 refuse).
 */
export function withoutUnlimited(resources: RuntimeResources): RuntimeResources {
  const { pids, cpu, ...rest } = resources;
  const { quota, ...otherCpu } = cpu ?? {};
  const kept = quota !== undefined && quota >= 0 ? { ...otherCpu, quota } : otherCpu;
  return {
    ...rest,
    ...(pids && pids.limit >= 0 ? { pids } : {}),
    ...(Object.keys(kept).length > 0 ? { cpu: kept } : {}),
  };
}

/** Takes limits off a running container that are to be none from now on. */
export async function liftLimits(cgroup: Cgroup, { pids, cpu }: RuntimeResources): Promise<void> {
  if (pids !== undefined && pids.limit < 0) await cgroup.write('pids', 'pids.max', 'max');
  if (cpu?.quota === undefined || cpu.quota >= 0) return;
  if (cgroup.unified) await cgroup.write('cpu', 'cpu.max', `max ${cpu.period ?? defaultPeriod}`);
  else await cgroup.write('cpu', 'cpu.cfs_quota_us', '-1');
}
