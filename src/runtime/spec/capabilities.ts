import { readFileSync } from 'node:fs';
import { invalid } from '#base';

/** Every capability by its number in linux/capability.h. */
const all = [
  'CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP LINUX_IMMUTABLE NET_BIND_SERVICE',
  'NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN',
  'SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP MAC_OVERRIDE',
  'MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE',
]
  .join(' ')
  .split(' ')
  .map((name) => `CAP_${name}`);

/** What a container has unless told otherwise, in Docker's order. */
export const defaultCapabilities: readonly string[] = [
  'CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE',
]
  .join('')
  .split(' ')
  .map((name) => `CAP_${name}`);

let ofHost: readonly string[] | undefined;

/** The capabilities this process may hand on (its bounding set), by number. */
export function hostCapabilities(): readonly string[] {
  if (ofHost) return ofHost;
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1] ?? '0'}`);
  ofHost = all.filter((_, bit) => (mask >> BigInt(bit)) & 1n);
  return ofHost;
}

/** What was asked for on top of the default. Names with or without `CAP_`, any case; `ALL` stands for all of the host. */
export interface CapabilityChange {
  readonly add: readonly string[];
  readonly drop: readonly string[];
  readonly privileged: boolean;
}

/**
 * The container's capabilities as Docker computes them: `ALL` in `add` starts from all of the host and takes `drop`
 * away; `ALL` in `drop` starts from none and gives `add`; otherwise the default less `drop` plus `add`.
 * Throws `invalid` for a name that is unknown or that this host cannot give.
 */
export function resolveCapabilities(change: CapabilityChange): string[] {
  const host = hostCapabilities();
  if (change.privileged) return [...host];
  const add = change.add.map((name) => normalize(name, 'CapAdd'));
  const drop = change.drop.map((name) => normalize(name, 'CapDrop'));
  if (add.includes('ALL')) return host.filter((name) => !drop.includes(name));
  const wanted = add.filter((name, index) => name !== 'ALL' && add.indexOf(name) === index);
  if (drop.includes('ALL')) return wanted;
  const kept = defaultCapabilities.filter((name) => host.includes(name) && !drop.includes(name));
  return [...kept, ...wanted.filter((name) => !kept.includes(name))];
}

function normalize(name: string, field: string): string {
  const upper = name.trim().toUpperCase();
  if (upper === 'ALL' || upper === 'CAP_ALL') return 'ALL';
  const full = upper.startsWith('CAP_') ? upper : `CAP_${upper}`;
  if (!all.includes(full)) throw invalid(`invalid ${field}: unknown capability: "${full}"`);
  if (!hostCapabilities().includes(full)) {
    throw invalid(
      `invalid ${field}: capability not supported by your kernel or not available in the current environment: "${full}"`,
    );
  }
  return full;
}
