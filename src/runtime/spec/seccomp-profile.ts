import { release } from 'node:os';
import { invalid } from '#base';
import type { RuntimeSeccomp } from '#oci';

/** When a group of a profile applies. All conditions given must hold (for `excludes`: any of them rules it out). */
export interface SeccompCondition {
  readonly caps?: readonly string[];
  /** Go's architecture names: `amd64`, `arm64` ... */
  readonly arches?: readonly string[];
  /** Such as `4.8`. */
  readonly minKernel?: string;
}

/** A group of system calls with one action. */
export interface SeccompGroup {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { index: number; value: number; valueTwo?: number; op: string }[];
  readonly includes?: SeccompCondition;
  readonly excludes?: SeccompCondition;
}

/** A seccomp profile as Docker's users write it (`--security-opt seccomp=FILE`). */
export interface SeccompProfile {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly archMap?: readonly { architecture: string; subArchitectures?: readonly string[] | null }[];
  readonly syscalls: readonly SeccompGroup[];
}

/** What a profile is resolved against. */
export interface SeccompTarget {
  /** The container's bounding set, `CAP_X` names. */
  readonly capabilities: readonly string[];
  /** Node's name of the architecture; default this machine's. */
  readonly arch?: string;
  /** Kernel release; default this machine's. */
  readonly kernel?: string;
}

const goArch: Readonly<Record<string, string>> = { x64: 'amd64', ia32: '386', ppc64: 'ppc64le' };
const scmpArch: Readonly<Record<string, string>> = {
  x64: 'SCMP_ARCH_X86_64',
  arm64: 'SCMP_ARCH_AARCH64',
  s390x: 'SCMP_ARCH_S390X',
  riscv64: 'SCMP_ARCH_RISCV64',
  loong64: 'SCMP_ARCH_LOONGARCH64',
};

/** Chooses the groups of `profile` that apply to `target` and gives them in the runtime's form. */
export function resolveSeccomp(profile: SeccompProfile, target: SeccompTarget): RuntimeSeccomp {
  const arch = target.arch ?? process.arch;
  const kernel = target.kernel ?? release();
  const machine = goArch[arch] ?? arch;
  const applies = (group: SeccompGroup): boolean => {
    const { includes = {}, excludes = {} } = group;
    if (includes.arches?.length && !includes.arches.includes(machine)) return false;
    if (includes.caps?.some((name) => !target.capabilities.includes(name))) return false;
    if (includes.minKernel !== undefined && !kernelAtLeast(kernel, includes.minKernel)) return false;
    if (excludes.arches?.includes(machine)) return false;
    if (excludes.caps?.some((name) => target.capabilities.includes(name))) return false;
    return excludes.minKernel === undefined || !kernelAtLeast(kernel, excludes.minKernel);
  };
  const native = profile.archMap?.find((entry) => entry.architecture === scmpArch[arch]);
  const architectures = native
    ? [native.architecture, ...(native.subArchitectures ?? [])]
    : [...(profile.architectures ?? [])];
  return {
    defaultAction: profile.defaultAction,
    ...(profile.defaultErrnoRet === undefined ? {} : { defaultErrnoRet: profile.defaultErrnoRet }),
    ...(architectures.length === 0 ? {} : { architectures }),
    syscalls: profile.syscalls.filter(applies).map((group) => ({
      names: [...group.names],
      action: group.action,
      ...(group.errnoRet === undefined ? {} : { errnoRet: group.errnoRet }),
      ...(group.args === undefined ? {} : { args: group.args.map((argument) => ({ ...argument })) }),
    })),
  };
}

/** Reads a profile that a user gave as JSON text. Throws `invalid` naming what is wrong in it. */
export function parseSeccompProfile(text: string): SeccompProfile {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw invalid(`Decoding seccomp profile failed: ${error instanceof Error ? error.message : String(error)}`);
  }
  const profile = record(value, 'the profile');
  const architectures = strings(profile.architectures, 'architectures');
  const archMap = list(profile.archMap, 'archMap').map((entry) => {
    const one = record(entry, 'archMap');
    return {
      architecture: string(one.architecture, 'archMap.architecture'),
      subArchitectures: strings(one.subArchitectures, 'archMap.subArchitectures') ?? [],
    };
  });
  if (architectures?.length && archMap.length > 0) {
    throw invalid("use either 'architectures' or 'archMap' in the seccomp profile");
  }
  const defaultErrnoRet = optionalNumber(profile.defaultErrnoRet, 'defaultErrnoRet');
  return {
    defaultAction: action(profile.defaultAction, 'defaultAction'),
    ...(defaultErrnoRet === undefined ? {} : { defaultErrnoRet }),
    ...(architectures === undefined ? {} : { architectures }),
    ...(archMap.length === 0 ? {} : { archMap }),
    syscalls: list(profile.syscalls, 'syscalls').map(parseGroup),
  };
}

function parseGroup(value: unknown, index: number): SeccompGroup {
  const at = `syscalls[${index}]`;
  const group = record(value, at);
  const single = group.name === undefined || group.name === '' ? undefined : string(group.name, `${at}.name`);
  const several = strings(group.names, `${at}.names`);
  if (single !== undefined && several?.length) {
    throw invalid("use either 'name' or 'names' in the seccomp profile");
  }
  const errnoRet = optionalNumber(group.errnoRet, `${at}.errnoRet`);
  const args = list(group.args, `${at}.args`).map((entry) => {
    const one = record(entry, `${at}.args`);
    const valueTwo = optionalNumber(one.valueTwo, `${at}.args.valueTwo`);
    return {
      index: optionalNumber(one.index, `${at}.args.index`) ?? 0,
      value: optionalNumber(one.value, `${at}.args.value`) ?? 0,
      ...(valueTwo === undefined ? {} : { valueTwo }),
      op: string(one.op, `${at}.args.op`),
    };
  });
  return {
    names: single === undefined ? (several ?? []) : [single],
    action: action(group.action, `${at}.action`),
    ...(errnoRet === undefined ? {} : { errnoRet }),
    ...(args.length === 0 ? {} : { args }),
    includes: parseCondition(group.includes, `${at}.includes`),
    excludes: parseCondition(group.excludes, `${at}.excludes`),
  };
}

function parseCondition(value: unknown, at: string): SeccompCondition {
  if (value === undefined || value === null) return {};
  const condition = record(value, at);
  const caps = strings(condition.caps, `${at}.caps`);
  const arches = strings(condition.arches, `${at}.arches`);
  const { minKernel } = condition;
  return {
    ...(caps === undefined ? {} : { caps }),
    ...(arches === undefined ? {} : { arches }),
    ...(minKernel === undefined || minKernel === '' ? {} : { minKernel: string(minKernel, `${at}.minKernel`) }),
  };
}

function kernelAtLeast(kernel: string, wanted: string): boolean {
  const [major = 0, minor = 0] = kernel.split('.').map((part) => Number.parseInt(part, 10));
  const [wantedMajor = 0, wantedMinor = 0] = wanted.split('.').map((part) => Number.parseInt(part, 10));
  return major > wantedMajor || (major === wantedMajor && minor >= wantedMinor);
}

function wrong(at: string, want: string): Error {
  return invalid(`Decoding seccomp profile failed: ${at} must be ${want}`);
}

function record(value: unknown, at: string): Record<string, unknown> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong(at, 'an object');
  return value as Record<string, unknown>;
}

function list(value: unknown, at: string): unknown[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw wrong(at, 'a list');
  return value;
}

function string(value: unknown, at: string): string {
  if (typeof value !== 'string') throw wrong(at, 'a string');
  return value;
}

function action(value: unknown, at: string): string {
  const text = string(value, at);
  if (!text.startsWith('SCMP_ACT_')) throw wrong(at, 'an SCMP_ACT_ name');
  return text;
}

function strings(value: unknown, at: string): string[] | undefined {
  if (value === undefined || value === null) return undefined;
  return list(value, at).map((entry) => string(entry, at));
}

function optionalNumber(value: unknown, at: string): number | undefined {
  if (value === undefined || value === null) return undefined;
  if (typeof value !== 'number') throw wrong(at, 'a number');
  return value;
}
