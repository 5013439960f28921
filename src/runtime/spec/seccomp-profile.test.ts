import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBerthError } from '#base';
import { defaultCapabilities } from './capabilities.ts';
import { defaultSeccompProfile } from './default-seccomp.ts';
import { parseSeccompProfile, resolveSeccomp } from './seccomp-profile.ts';

const here = { arch: 'x64', kernel: '6.1.0' };
const allowed = (capabilities: readonly string[], target: { arch: string; kernel: string } = here): Set<string> => {
  const { syscalls = [] } = resolveSeccomp(defaultSeccompProfile, { ...target, capabilities });
  const open = syscalls.filter((group) => group.action === 'SCMP_ACT_ALLOW' && !group.args);
  return new Set(open.flatMap((group) => group.names));
};

describe('the default seccomp profile', () => {
  it('allows everyday calls and refuses what reaches the host', () => {
    const names = allowed(defaultCapabilities);
    for (const name of ['read', 'openat2', 'execve', 'ptrace', 'chroot', 'arch_prctl'])
      assert.ok(names.has(name), name);
    for (const name of ['mount', 'unshare', 'bpf', 'kexec_load', 'add_key', 'clone', 'init_module']) {
      assert.ok(!names.has(name), name);
    }
  });

  it('opens calls with the capability that guards them', () => {
    const names = allowed(['CAP_SYS_ADMIN', 'CAP_SYS_TIME']);
    assert.ok(names.has('mount') && names.has('clone') && names.has('settimeofday') && !names.has('chroot'));
  });

  it('lets clone make threads but no namespaces, and answers ENOSYS to clone3', () => {
    const { syscalls = [], architectures } = resolveSeccomp(defaultSeccompProfile, { ...here, capabilities: [] });
    assert.equal(syscalls.find((group) => group.names.includes('clone'))?.args?.[0]?.value, 0x7e020000);
    assert.equal(syscalls.find((group) => group.names.includes('clone3'))?.errnoRet, 38);
    assert.deepEqual(architectures, ['SCMP_ARCH_X86_64', 'SCMP_ARCH_X86', 'SCMP_ARCH_X32']);
  });

  it('depends on architecture and kernel', () => {
    const names = allowed([], { arch: 'arm64', kernel: '4.4.0' });
    assert.ok(names.has('set_tls') && !names.has('arch_prctl') && !names.has('ptrace'));
  });
});

describe('parseSeccompProfile', () => {
  it('reads what users write, also with single names', () => {
    const profile = parseSeccompProfile(
      JSON.stringify({
        defaultAction: 'SCMP_ACT_ALLOW',
        architectures: ['SCMP_ARCH_X86_64'],
        syscalls: [
          { name: 'chmod', action: 'SCMP_ACT_ERRNO', args: null },
          { names: ['mount'], action: 'SCMP_ACT_ERRNO', excludes: { caps: ['CAP_SYS_ADMIN'] }, includes: {} },
        ],
      }),
    );
    const resolved = resolveSeccomp(profile, { ...here, capabilities: ['CAP_SYS_ADMIN'] });
    assert.deepEqual(resolved, {
      defaultAction: 'SCMP_ACT_ALLOW',
      architectures: ['SCMP_ARCH_X86_64'],
      syscalls: [{ names: ['chmod'], action: 'SCMP_ACT_ERRNO' }],
    });
  });

  it('reads the default profile back from its own JSON', () => {
    const again = parseSeccompProfile(JSON.stringify(defaultSeccompProfile));
    const target = { ...here, capabilities: defaultCapabilities };
    assert.deepEqual(resolveSeccomp(again, target), resolveSeccomp(defaultSeccompProfile, target));
  });

  it('refuses what is not a profile', () => {
    const broken = [
      '{',
      '[]',
      '{"defaultAction": 1}',
      '{"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"name":"a","names":["b"],"action":"SCMP_ACT_KILL"}]}',
    ];
    for (const text of broken)
      assert.throws(
        () => parseSeccompProfile(text),
        (error) => isBerthError(error, 'invalid'),
      );
  });
});
