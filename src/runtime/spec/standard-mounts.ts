import type { RuntimeMount } from '#oci';
import type { SpecInput } from '../spec-input.ts';

const sealed = ['nosuid', 'noexec', 'nodev'];

/** The mounts that every container has, in the order they are made. */
function standardMounts(input: SpecInput): RuntimeMount[] {
  const readonly = input.security.privileged ? [] : ['ro'];
  const cgroups = input.security.writableCgroups ? [] : readonly;
  return [
    { destination: '/proc', type: 'proc', source: 'proc', options: sealed },
    {
      destination: '/dev',
      type: 'tmpfs',
      source: 'tmpfs',
      options: ['nosuid', 'strictatime', 'mode=755', 'size=65536k'],
    },
    {
      destination: '/dev/pts',
      type: 'devpts',
      source: 'devpts',
      options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
    },
    { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...sealed, ...readonly] },
    { destination: '/sys/fs/cgroup', type: 'cgroup', source: 'cgroup', options: [...cgroups, ...sealed] },
    { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: sealed },
    ...sharedMemory(input),
  ];
}

function sharedMemory({ namespaces, shmSize }: SpecInput): RuntimeMount[] {
  const destination = '/dev/shm';
  if (namespaces.ipc === 'host')
    return [{ destination, type: 'bind', source: destination, options: ['rbind', 'rprivate'] }];
  if (shmSize === 0) return [];
  return [{ destination, type: 'tmpfs', source: 'shm', options: [...sealed, 'mode=1777', `size=${shmSize}`] }];
}

/** Standard and asked-for mounts together: an asked-for one replaces the standard one at the same place. */
export function allMounts(input: SpecInput): RuntimeMount[] {
  const asked = new Set(input.mounts.map((mount) => mount.destination));
  const kept = standardMounts(input).filter((mount) => !asked.has(mount.destination));
  // What the user puts over a parent hides what was mounted below it.
  const visible = kept.filter((mount) => !asked.has('/dev') || !mount.destination.startsWith('/dev/'));
  const init: RuntimeMount[] =
    input.initPath === undefined
      ? []
      : [{ destination: initDestination, type: 'bind', source: input.initPath, options: ['bind', 'ro'] }];
  return [...visible, ...init, ...input.mounts];
}

/** Where the init program is inside a container. */
export const initDestination = '/sbin/docker-init';
