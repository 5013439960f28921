import { invalid } from '#base';
import { parseSeccompProfile, type SeccompProfile } from '#runtime';

/** `--security-opt`, understood. */
export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  readonly seccomp: 'default' | 'unconfined' | SeccompProfile;
  readonly apparmorProfile?: string;
  /** `systempaths=unconfined`: nothing is masked or read-only. */
  readonly openPaths: boolean;
  /** `writable-cgroups`: the container may make cgroups of its own. */
  readonly writableCgroups: boolean;
}

/**
 * Reads `no-new-privileges[=true]`, `seccomp=unconfined|builtin|JSON`, `apparmor=NAME`, `label=...` (accepted, as this
 * host has no SELinux), `systempaths=unconfined`,
 * `writable-cgroups[=true]`; `:` may stand for `=`. Throws `invalid` with Docker's text.
 */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let openPaths = false;
  let writableCgroups = false;
  let seccomp: SecurityOptions['seccomp'] = 'default';
  let apparmorProfile: string | undefined;
  for (const option of options) {
    const at = option.search(/[=:]/);
    const key = at < 0 ? option : option.slice(0, at);
    const value = at < 0 ? '' : option.slice(at + 1);
    if (at < 0 && key !== 'no-new-privileges' && key !== 'disable') {
      throw invalid(`invalid --security-opt 1: "${option}"`);
    }
    if (key === 'no-new-privileges') noNewPrivileges = readBoolean(option, value);
    else if (key === 'writable-cgroups') writableCgroups = readBoolean(option, value);
    else if (key === 'systempaths' && value === 'unconfined') openPaths = true;
    else if (key === 'seccomp') seccomp = readSeccomp(value);
    else if (key === 'apparmor' && value !== '') apparmorProfile = value;
    else if (key !== 'label' && key !== 'disable') throw invalid(`invalid --security-opt 2: "${option}"`);
  }
  return {
    noNewPrivileges,
    seccomp,
    openPaths,
    writableCgroups,
    ...(apparmorProfile === undefined ? {} : { apparmorProfile }),
  };
}

function readBoolean(option: string, value: string): boolean {
  if (value === '' || /^(1|t|true)$/i.test(value)) return true;
  if (/^(0|f|false)$/i.test(value)) return false;
  throw invalid(`invalid --security-opt 2: "${option}"`);
}

function readSeccomp(value: string): SecurityOptions['seccomp'] {
  if (value === 'unconfined') return 'unconfined';
  if (value === 'builtin' || value === '') return 'default';
  return parseSeccompProfile(value);
}
