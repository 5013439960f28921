import { type Cgroup, identifyProcess, processEnd, signalProcess } from '#host';

const kill = 9;

/** Ends every process in the cgroup, frozen ones too, and waits until they are gone. An absent cgroup is a success. */
export async function killCgroup(cgroup: Cgroup): Promise<void> {
  // A process may fork while the list is read; each round ends what the one before could not see.
  for (;;) {
    const pids = await cgroup.pidsAnywhere();
    if (pids.length === 0) return;
    const found = await Promise.all(pids.map(identifyProcess));
    const processes = found.filter((process) => process !== undefined);
    if (processes.length === 0) return;
    for (const process of processes) signalProcess(process, kill);
    // In a frozen v1 cgroup signals wait for the thaw.
    if (cgroup.unified) await cgroup.write('freezer', 'cgroup.freeze', '0');
    else await cgroup.write('freezer', 'freezer.state', 'THAWED');
    await Promise.all(processes.map(processEnd));
  }
}
