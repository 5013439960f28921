import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Cgroup, type CgroupLayout, detectCgroups, identifyProcess, processEnd, signalProcess } from '#host';

/** File in a step's directory that names its container while it runs. */
export const containerFile = 'container';

/**
 * Ends the containers that builds of a killed daemon were running: those named in `runDirectory/BUILD/STEP/container`.
 * Returns when their processes are gone and their cgroups removed.
 */
export async function endLeftoverContainers(runDirectory: string, cgroupParent: string): Promise<void> {
  const ids = await leftoverIds(runDirectory);
  if (ids.length === 0) return;
  const layout = await detectCgroups();
  await Promise.all(ids.map((id) => endContainer(layout, `${cgroupParent}/${id}`)));
}

async function leftoverIds(runDirectory: string): Promise<string[]> {
  const ids: string[] = [];
  for (const build of await readdir(runDirectory).catch(() => [])) {
    for (const step of await readdir(join(runDirectory, build)).catch(() => [])) {
      const id = await readFile(join(runDirectory, build, step, containerFile), 'utf8').catch(() => '');
      if (/^[0-9a-f]{64}$/.test(id)) ids.push(id);
    }
  }
  return ids;
}

async function endContainer(layout: CgroupLayout, path: string): Promise<void> {
  const cgroup = new Cgroup(layout, path);
  // A process may fork while the list is read: the next round finds its children.
  for (let pids = await cgroup.pidsAnywhere(); pids.length > 0; pids = await cgroup.pidsAnywhere()) {
    const found = await Promise.all(pids.map(identifyProcess));
    const processes = found.filter((process) => process !== undefined);
    if (processes.length === 0) break;
    for (const process of processes) signalProcess(process, 9);
    await Promise.all(processes.map(processEnd));
  }
  await cgroup.remove();
}
