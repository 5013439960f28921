import { constants } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { CgroupLayout } from './cgroups.ts';

let running: Promise<void> | undefined;

/**
 * Makes the next move of a process between cgroups cheap. The kernel guards such moves by a lock whose first writer waits
 * for an RCU grace period (8-15 ms); who writes while that wait goes on, or soon after, does not wait again. So the
 * daemon moves itself to where it is already, beside the start of a program that is going to move something.
 * Never rejects: where it is not possible, only time is lost.
 */
export function warmUpCgroups(layout: CgroupLayout): Promise<void> {
  running ??= moveInPlace(layout)
    .catch(() => {})
    .finally(() => {
      running = undefined;
    });
  return running;
}

async function moveInPlace({ kind, hierarchies }: CgroupLayout): Promise<void> {
  const hierarchy = hierarchies[0];
  if (!hierarchy) return;
  // /proc/self/cgroup: `0::/path` for v2, `ID:controller,...:/path` for v1 (cgroups(7)).
  const own = (await readFile('/proc/self/cgroup', 'utf8'))
    .split('\n')
    .map((line) => /^\d+:([^:]*):(.*)$/.exec(line))
    .find((match) => match?.[1] === (kind === 'v2' ? '' : hierarchy.controllers.join(',')));
  if (own?.[2] === undefined) return;
  const file = join(hierarchy.mountpoint, own[2], 'cgroup.procs');
  await writeFile(file, String(process.pid), { flag: constants.O_WRONLY });
}
