import type { Cgroup } from '#host';

/** True when the kernel killed a process of the cgroup for want of memory (cgroup-v1/memory.rst, cgroup-v2.rst). */
export async function readOutOfMemory(cgroup: Cgroup): Promise<boolean> {
  const file = cgroup.unified ? 'memory.events' : 'memory.oom_control';
  const text = await cgroup.read('memory', file);
  return Number(/^oom_kill (\d+)$/m.exec(text ?? '')?.[1] ?? 0) > 0;
}
