import { unavailable } from '#base';
import type { Cgroup } from '#host';

const patience = 2000; // ms

/**
 * Waits until a v1 cgroup told to freeze is frozen. There is no event for it: the kernel looks at the processes when the
 * state is read (freezer-subsystem.rst), so reading is what brings it to an end. On v2 the runtime has waited already.
 */
export async function settleFreeze(cgroup: Cgroup): Promise<void> {
  if (cgroup.unified) return;
  const deadline = Date.now() + patience;
  while ((await cgroup.read('freezer', 'freezer.state'))?.trim() === 'FREEZING') {
    if (Date.now() > deadline)
      throw unavailable(`cgroup ${cgroup.path} does not freeze: a process is stuck in the kernel`);
  }
}
