import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { RuntimeDevice } from '#oci';

/** Directories and links of /dev that a container gets of its own kind, or that belong to one terminal or machine. */
const skipped = new Set(['pts', 'shm', 'fd', 'mqueue', '.lxc', '.lxd-mounts', '.udev', 'console']);

/** Every device node below `root`, for privileged containers. Links are not followed. Unreadable ones are left out. */
export function hostDevices(root = '/dev'): RuntimeDevice[] {
  const devices: RuntimeDevice[] = [];
  for (const entry of readdirSync(root, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(root, entry.name);
    if (entry.isDirectory()) {
      if (!skipped.has(entry.name)) devices.push(...hostDevices(path));
    } else if (!skipped.has(entry.name)) {
      const device = describeDevice(path);
      if (device) devices.push(device);
    }
  }
  return devices;
}

/** The device node at `path` (links are followed); undefined when there is none. */
export function describeDevice(path: string): RuntimeDevice | undefined {
  const found = statSync(path, { throwIfNoEntry: false });
  if (!found || !(found.isCharacterDevice() || found.isBlockDevice())) return undefined;
  const type = found.isBlockDevice() ? 'b' : 'c';
  const { uid, gid, rdev } = found;
  return { path, type, major: majorOf(rdev), minor: minorOf(rdev), fileMode: found.mode & 0o7777, uid, gid };
}

/** makedev(3) in reverse, in arithmetic since a device number may have more than 32 bits. */
function majorOf(rdev: number): number {
  return (Math.floor(rdev / 2 ** 8) & 0xfff) + Math.floor(rdev / 2 ** 44) * 2 ** 12;
}

function minorOf(rdev: number): number {
  return (rdev & 0xff) + (Math.floor(rdev / 2 ** 12) & 0xffffff00);
}
