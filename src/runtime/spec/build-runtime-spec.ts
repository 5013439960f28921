import { existsSync, readFileSync } from 'node:fs';
import type { RuntimeDevice, RuntimeLinux, RuntimeProcess, RuntimeResources, RuntimeSeccomp, RuntimeSpec } from '#oci';
import type { NamespaceSource, SpecInput } from '../spec-input.ts';
import { resolveCapabilities } from './capabilities.ts';
import { defaultSeccompProfile } from './default-seccomp.ts';
import { hostDevices } from './host-devices.ts';
import { resolveSeccomp } from './seccomp-profile.ts';
import { allMounts, initDestination } from './standard-mounts.ts';

const maskedPaths = [
  '/proc/asound /proc/acpi /proc/interrupts /proc/kcore /proc/keys /proc/latency_stats /proc/timer_list',
  '/proc/timer_stats /proc/sched_debug /proc/scsi /sys/firmware /sys/devices/virtual/powercap',
].flatMap((line) => line.split(' '));
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'];

type DeviceRule = NonNullable<RuntimeResources['devices']>[number];
const characterDevice = (allow: boolean, major: number, minor?: number): DeviceRule => ({
  allow,
  type: 'c',
  major,
  ...(minor === undefined ? {} : { minor }),
  access: 'rwm',
});
/** Nothing but zero, null, urandom, random, tty, console; and no fuse. */
const standardRules: readonly DeviceRule[] = [
  { allow: false, access: 'rwm' },
  characterDevice(true, 1, 5),
  characterDevice(true, 1, 3),
  characterDevice(true, 1, 9),
  characterDevice(true, 1, 8),
  characterDevice(true, 5, 0),
  characterDevice(true, 5, 1),
  characterDevice(false, 10, 229),
];

/**
 * The OCI spec of a container, the same as Docker 28 gives it for the same input. Throws `invalid` for capabilities that
 * are unknown or that this host cannot give.
 */
export function buildRuntimeSpec(input: SpecInput): RuntimeSpec {
  const { namespaces, security } = input;
  const capabilities = resolveCapabilities({
    add: security.capAdd,
    drop: security.capDrop,
    privileged: security.privileged,
  });
  const ownsHostname = namespaces.uts === 'private';
  return {
    ociVersion: '1.0.2',
    process: buildProcess(input, capabilities),
    root: { path: input.rootfs, readonly: input.readonlyRootfs },
    ...(ownsHostname ? { hostname: input.hostname } : {}),
    ...(ownsHostname && input.domainname ? { domainname: input.domainname } : {}),
    mounts: allMounts(input),
    annotations: { ...input.annotations },
    ...(input.hooks ? { hooks: { ...input.hooks } } : {}),
    linux: buildLinux(input, capabilities),
  };
}

/** The spec of a further process in a container made from `input`: same rights, own arguments. */
export function buildExecProcess(
  input: Pick<SpecInput, 'process' | 'ulimits' | 'oomScoreAdj'> & { readonly security: SpecInput['security'] },
): RuntimeProcess {
  const { capAdd, capDrop, privileged } = input.security;
  return processOf(input, resolveCapabilities({ add: capAdd, drop: capDrop, privileged }));
}

function buildProcess(input: SpecInput, capabilities: string[]): RuntimeProcess {
  const process = processOf(input, capabilities);
  if (input.initPath !== undefined) process.args = [initDestination, '--', ...process.args];
  return process;
}

function processOf(
  input: Pick<SpecInput, 'process' | 'ulimits' | 'oomScoreAdj' | 'security'>,
  capabilities: string[],
): RuntimeProcess {
  const { process, security, ulimits } = input;
  // Only root starts with rights in force; others get them through programs with file capabilities.
  const inForce = process.uid === 0 ? capabilities : [];
  return {
    terminal: process.terminal,
    ...(process.consoleSize ? { consoleSize: { ...process.consoleSize } } : {}),
    user: { uid: process.uid, gid: process.gid, additionalGids: [...process.additionalGids] },
    args: [...process.args],
    env: [...process.env],
    cwd: process.cwd,
    capabilities: {
      bounding: capabilities,
      effective: inForce,
      permitted: inForce,
      inheritable: [],
      ambient: [],
    },
    rlimits: ulimits.map(({ name, soft, hard }) => ({
      type: `RLIMIT_${name.toUpperCase()}`,
      soft: soft,
      hard: hard,
    })),
    noNewPrivileges: security.noNewPrivileges,
    oomScoreAdj: clampOomScore(input.oomScoreAdj),
    ...(security.apparmorProfile === undefined || security.privileged || !hasAppArmor()
      ? {}
      : { apparmorProfile: security.apparmorProfile }),
  };
}

function buildLinux(input: SpecInput, capabilities: string[]): RuntimeLinux {
  const { security, resources } = input;
  const { privileged } = security;
  const seccomp = chooseSeccomp(input, capabilities);
  const propagation = rootPropagation(input.mounts);
  return {
    namespaces: buildNamespaces(input.namespaces),
    devices: buildDevices(input),
    cgroupsPath: input.cgroupPath,
    resources: { ...resources, devices: buildDeviceRules(input) },
    ...(seccomp ? { seccomp } : {}),
    ...(propagation ? { rootfsPropagation: propagation } : {}),
    maskedPaths: [...(security.maskedPaths ?? (privileged ? [] : maskedPaths))],
    readonlyPaths: [...(security.readonlyPaths ?? (privileged ? [] : readonlyPaths))],
    sysctl: buildSysctls(input),
  };
}

/** A container's table must let through what one of its mounts shall see: without it the runtime makes all private first. */
function rootPropagation(mounts: SpecInput['mounts']): string | undefined {
  const words = new Set(mounts.flatMap((mount) => mount.options ?? []));
  if (words.has('shared') || words.has('rshared')) return 'shared';
  return words.has('slave') || words.has('rslave') ? 'rslave' : undefined;
}

function buildNamespaces(sources: SpecInput['namespaces']): RuntimeLinux['namespaces'] {
  const list: RuntimeLinux['namespaces'] = [{ type: 'mount' }];
  for (const type of ['network', 'uts', 'pid', 'ipc', 'cgroup'] as const) {
    const source: NamespaceSource = sources[type];
    if (source === 'private') list.push({ type });
    else if (source !== 'host') list.push({ type, path: source.path });
  }
  return list;
}

function buildDevices(input: SpecInput): RuntimeDevice[] {
  const asked = input.devices.map(({ access: _, ...device }) => device);
  if (!input.security.privileged) return asked;
  const taken = new Set(asked.map((device) => device.path));
  return [...hostDevices().filter((device) => !taken.has(device.path)), ...asked];
}

function buildDeviceRules(input: SpecInput): DeviceRule[] {
  if (input.security.privileged) return [...standardRules, { allow: true, access: 'rwm' }];
  const forDevices = input.devices.map(
    ({ type, major, minor, access }): DeviceRule => ({
      allow: true,
      type: type === 'b' ? 'b' : 'c',
      ...(major === undefined ? {} : { major }),
      ...(minor === undefined ? {} : { minor }),
      access,
    }),
  );
  const asked = input.deviceRules.map((rule): DeviceRule => ({ allow: true, ...rule }));
  return [...standardRules, ...forDevices, ...asked];
}

/** Low ports and ping for every user are safe inside a network namespace of the container's own. */
function buildSysctls(input: SpecInput): Record<string, string> {
  return { ...(input.namespaces.network === 'host' ? {} : networkSysctls), ...input.sysctls };
}

const networkSysctls = { 'net.ipv4.ip_unprivileged_port_start': '0', 'net.ipv4.ping_group_range': '0 2147483647' };

function chooseSeccomp({ security }: SpecInput, capabilities: readonly string[]): RuntimeSeccomp | undefined {
  if (security.privileged || security.seccomp === 'unconfined') return undefined;
  if (security.seccomp === 'default') return resolveSeccomp(defaultSeccompProfile, { capabilities });
  return security.seccomp;
}

let leastOomScore: number | undefined;

/** Without CAP_SYS_RESOURCE a process may raise its score but not lower it (proc(5), oom_score_adj). */
function clampOomScore(wanted: number): number {
  leastOomScore ??= canLowerOomScore() ? -1000 : Number(readFileSync('/proc/self/oom_score_adj', 'latin1'));
  return Math.max(wanted, leastOomScore);
}

function canLowerOomScore(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0';
  return ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n;
}

let appArmor: boolean | undefined;

/** The runtime fails on a profile where the kernel has no AppArmor; Docker leaves it out. */
function hasAppArmor(): boolean {
  appArmor ??= existsSync('/sys/kernel/security/apparmor') || existsSync('/sys/module/apparmor');
  return appArmor;
}
