import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { invalid } from '#base';
import type { SpecInput } from '#runtime';
import type { HostSettings } from '../container.ts';

type Device = SpecInput['devices'][number];

/** Major and minor number of a device, from stat's `rdev` (makedev(3), Linux encoding). */
function deviceNumbers(rdev: number): { major: number; minor: number } {
  return { major: (rdev >> 8) & 0xfff, minor: (rdev & 0xff) | ((rdev >> 12) & 0xfff00) };
}

/** Numbers of the block device at `path` of the host. Throws `invalid` when there is none. */
export async function blockDevice(path: string): Promise<{ major: number; minor: number }> {
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) throw invalid(`stat ${path}: no such file or directory`);
  if (!found.isBlockDevice()) throw invalid(`${path}: no such block device`);
  return deviceNumbers(found.rdev);
}

/** Devices given by `--device`; a directory gives all devices in it. Throws `invalid` with Docker's text. */
export async function findDevices(asked: HostSettings['devices']): Promise<Device[]> {
  const lists = await Promise.all(asked.map((device) => findDevice(device)));
  return lists.flat();
}

async function findDevice({ pathOnHost, pathInContainer, permissions }: HostSettings['devices'][number]) {
  const gathering = `error gathering device information while adding custom device "${pathOnHost}"`;
  const found = await stat(pathOnHost).catch(() => undefined);
  if (found === undefined) throw invalid(`${gathering}: no such file or directory`);
  const access = permissions || 'rwm';
  if (!/^[rwm]+$/.test(access)) throw invalid(`invalid device mode: ${permissions}`);
  const target = pathInContainer || pathOnHost;
  if (!found.isDirectory()) {
    return [await describeDevice(pathOnHost, target, access)];
  }
  const names = await readdir(pathOnHost);
  const devices = await Promise.all(names.map((name) => describe(join(pathOnHost, name), join(target, name), access)));
  return devices.filter((device) => device !== undefined);
}

/** The device node at `path` of the host as a container gets it at `target`. Throws `invalid` with Docker's text. */
export async function describeDevice(path: string, target: string, access: string): Promise<Device> {
  const device = await describe(path, target, access);
  if (device !== undefined) return device;
  throw invalid(`error gathering device information while adding custom device "${path}": not a device node`);
}

async function describe(path: string, target: string, access: string): Promise<Device | undefined> {
  const found = await stat(path).catch(() => undefined);
  if (!found?.isCharacterDevice() && !found?.isBlockDevice()) return undefined;
  return {
    path: target,
    type: found.isBlockDevice() ? 'b' : 'c',
    ...deviceNumbers(found.rdev),
    fileMode: found.mode & 0o777,
    uid: found.uid,
    gid: found.gid,
    access,
  };
}

/** Reads `--device-cgroup-rule` (`c 42:* rmw`). Throws `invalid` with Docker's text. */
export function parseDeviceRules(rules: readonly string[]): SpecInput['deviceRules'] {
  return rules.map((rule) => {
    const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(rule);
    const [, type, major, minor, access = ''] = match ?? [];
    if (type !== 'a' && type !== 'b' && type !== 'c') throw invalid(`invalid device cgroup rule format: '${rule}'`);
    return {
      type,
      ...(major === '*' ? {} : { major: Number(major) }),
      ...(minor === '*' ? {} : { minor: Number(minor) }),
      access,
    };
  });
}
