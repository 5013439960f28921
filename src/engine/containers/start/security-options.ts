import { invalid } from '#base';
import type { SpecInput } from '#runtime';

/** `--security-opt`, understood. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: SpecInput['security']['seccomp'];
  readonly apparmorProfile?: string;
  /** `systempaths=unconfined`: nothing is masked or read-only. */
  readonly openPaths: boolean;
}

/**
 * Reads `no-new-privileges[=true]`, `seccomp=unconfined|builtin|JSON`, `apparmor=NAME`, `label=...` (accepted, as this
 * host has no SELinux), `systempaths=unconfined`; `:` may stand for `=`. Throws `invalid` with Docker's text.
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let openPaths = false;
  let seccomp: SecurityOptions['seccomp'] = 'default';
  let apparmorProfile: string | undefined;
  for (const option of options) {
    const at = option.search(/[=:]/);
    const key = at < 0 ? option : option.slice(0, at);
    const value = at < 0 ? '' : option.slice(at + 1);
    if (key === 'no-new-privileges') noNewPrivileges = readBoolean(option, value);
    else if (key === 'systempaths' && value === 'unconfined') openPaths = true;
    else if (key === 'seccomp') seccomp = readSeccomp(value);
    else if (key === 'apparmor' && value !== '') apparmorProfile = value;
    else if (key !== 'label' && key !== 'disable') throw invalid(`invalid --security-opt 2: "${option}"`);
  }
  return { noNewPrivileges, seccomp, openPaths, ...(apparmorProfile === undefined ? {} : { apparmorProfile }) };
}

function readBoolean(option: string, value: string): boolean {
  if (value === '' || /^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(`invalid --security-opt 2: "${option}"`);
}

function readSeccomp(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return 'unconfined';
  if (value === 'builtin' || value === '') return 'default';
  let profile: unknown;
  try {
    profile = JSON.parse(value);
  } catch {
    throw invalid(`Decoding seccomp profile failed: ${value.slice(0, 80)} is not JSON`);
  }
  if (typeof profile === 'object' && profile !== null && 'defaultAction' in profile) {
    // The shape below defaultAction is the runtime's to check: it reads the profile as OCI defines it.
    return profile as Exclude<SecurityOptions['seccomp'], string>;
  }
  throw invalid('Decoding seccomp profile failed: defaultAction is missing');
}
