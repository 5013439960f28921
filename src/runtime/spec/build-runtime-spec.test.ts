import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { isBerthError } from '#base';
import type { SpecInput } from '../spec-input.ts';
import { buildExecProcess, buildRuntimeSpec } from './build-runtime-spec.ts';
import { defaultCapabilities, hostCapabilities, resolveCapabilities } from './capabilities.ts';

const input: SpecInput = {
  rootfs: '/rootfs',
  readonlyRootfs: false,
  hostname: 'box',
  process: { args: ['sh'], env: ['A=b'], cwd: '/', uid: 0, gid: 0, additionalGids: [0], terminal: false },
  mounts: [],
  namespaces: { pid: 'private', network: { path: '/run/net' }, ipc: 'private', uts: 'private', cgroup: 'host' },
  security: { privileged: false, capAdd: [], capDrop: [], seccomp: 'default', noNewPrivileges: false },
  resources: { memory: { limit: 1024 } },
  devices: [],
  deviceRules: [],
  ulimits: [],
  sysctls: {},
  oomScoreAdj: 0,
  shmSize: 1000,
  cgroupPath: '/berth/x',
  annotations: {},
};
const security = (change: Partial<SpecInput['security']>): SpecInput => ({
  ...input,
  security: { ...input.security, ...change },
});

describe('buildRuntimeSpec', () => {
  it('mounts what every container has, in the order that the mounts need', () => {
    const places = buildRuntimeSpec(input).mounts.map((mount) => `${mount.type} ${mount.destination}`);
    const expected =
      'proc /proc, tmpfs /dev, devpts /dev/pts, sysfs /sys, cgroup /sys/fs/cgroup, mqueue /dev/mqueue, tmpfs /dev/shm';
    assert.deepEqual(places, expected.split(', '));
  });

  it('lets a mount asked for replace the standard one', () => {
    const shm = { destination: '/dev/shm', type: 'bind', source: '/x', options: ['rbind'] };
    const spec = buildRuntimeSpec({ ...input, mounts: [shm] });
    assert.deepEqual(
      spec.mounts.filter((mount) => mount.destination === '/dev/shm'),
      [shm],
    );
  });

  it('shares the /dev/shm of the host with its ipc namespace', () => {
    const spec = buildRuntimeSpec({ ...input, namespaces: { ...input.namespaces, ipc: 'host' } });
    assert.equal(spec.mounts.find((mount) => mount.destination === '/dev/shm')?.source, '/dev/shm');
    assert.ok(!spec.linux.namespaces.some((namespace) => namespace.type === 'ipc'));
  });

  it('joins, makes or shares each namespace', () => {
    assert.deepEqual(buildRuntimeSpec(input).linux.namespaces, [
      { type: 'mount' },
      { type: 'network', path: '/run/net' },
      { type: 'uts' },
      { type: 'pid' },
      { type: 'ipc' },
    ]);
  });

  it('sets no host name and no network sysctls in the namespaces of the host', () => {
    const namespaces = { ...input.namespaces, uts: 'host', network: 'host' } as const;
    const spec = buildRuntimeSpec({ ...input, namespaces });
    assert.equal(spec.hostname, undefined);
    assert.deepEqual(spec.linux.sysctl, {});
    assert.equal(buildRuntimeSpec(input).linux.sysctl?.['net.ipv4.ip_unprivileged_port_start'], '0');
  });

  it('hides and protects paths, allows six devices and no fuse', () => {
    const { linux } = buildRuntimeSpec(input);
    assert.ok(linux.maskedPaths?.includes('/proc/kcore') && linux.readonlyPaths?.includes('/proc/sys'));
    const rules = linux.resources?.devices ?? [];
    assert.deepEqual(rules[0], { allow: false, access: 'rwm' });
    assert.equal(rules.filter((rule) => rule.allow).length, 6);
    assert.equal(linux.resources?.memory?.limit, 1024);
  });

  it('gives a privileged container everything that the host has', () => {
    const { process, linux, mounts } = buildRuntimeSpec(security({ privileged: true, capDrop: ['CHOWN'] }));
    assert.deepEqual(process.capabilities?.effective, hostCapabilities());
    assert.equal(linux.seccomp, undefined);
    assert.deepEqual([linux.maskedPaths, linux.readonlyPaths], [[], []]);
    assert.ok(linux.devices?.some((device) => device.path === '/dev/null' && device.major === 1 && device.minor === 3));
    assert.ok(!mounts.find((mount) => mount.destination === '/sys')?.options?.includes('ro'));
    assert.deepEqual(linux.resources?.devices?.at(-1), { allow: true, access: 'rwm' });
  });

  it('puts the init program in front, with its own mount', () => {
    const spec = buildRuntimeSpec({ ...input, initPath: '/usr/bin/tini' });
    assert.deepEqual(spec.process.args, ['/sbin/docker-init', '--', 'sh']);
    assert.equal(spec.mounts.find((mount) => mount.destination === '/sbin/docker-init')?.source, '/usr/bin/tini');
  });

  it('lets devices and rules of the user pass', () => {
    const fuse = { path: '/dev/fuse', type: 'c', major: 10, minor: 229, access: 'rw' } as const;
    const spec = buildRuntimeSpec({ ...input, devices: [fuse], deviceRules: [{ type: 'b', major: 8, access: 'r' }] });
    assert.deepEqual(spec.linux.devices, [{ path: '/dev/fuse', type: 'c', major: 10, minor: 229 }]);
    assert.deepEqual(spec.linux.resources?.devices?.slice(-2), [
      { allow: true, type: 'c', major: 10, minor: 229, access: 'rw' },
      { allow: true, type: 'b', major: 8, access: 'r' },
    ]);
  });

  it('takes limits by name, and no lower oom score than the host allows', () => {
    const ulimits = [{ name: 'nofile', soft: 100, hard: 200 }];
    const { process } = buildRuntimeSpec({ ...input, ulimits, oomScoreAdj: 300 });
    assert.deepEqual(process.rlimits, [{ type: 'RLIMIT_NOFILE', soft: 100, hard: 200 }]);
    assert.equal(process.oomScoreAdj, 300);
  });

  it('gives users other than root rights in the bounding set only', () => {
    const user = { ...input.process, uid: 1000 };
    const { capabilities } = buildExecProcess({ ...input, process: user });
    assert.deepEqual(capabilities?.effective, []);
    assert.deepEqual(capabilities?.bounding, [...defaultCapabilities]);
  });
});

describe('resolveCapabilities', () => {
  const resolve = (add: string[], drop: string[]) => resolveCapabilities({ add, drop, privileged: false });

  it('adds to and drops from the default', () => {
    assert.deepEqual(resolve([], []), [...defaultCapabilities]);
    const found = resolve(['sys_admin', 'CAP_SYS_ADMIN'], ['cap_mknod']);
    assert.deepEqual(found, [...defaultCapabilities.filter((name) => name !== 'CAP_MKNOD'), 'CAP_SYS_ADMIN']);
  });

  it('knows ALL on either side, and on both', () => {
    assert.deepEqual(
      resolve(['all'], ['chown']),
      hostCapabilities().filter((name) => name !== 'CAP_CHOWN'),
    );
    assert.deepEqual(resolve(['chown'], ['ALL']), ['CAP_CHOWN']);
    assert.deepEqual(resolve(['ALL'], ['ALL']), [...hostCapabilities()]);
  });

  it('refuses names that do not exist', () => {
    const refused = (field: string) => (error: unknown) =>
      isBerthError(error, 'invalid') && error.message === `invalid ${field}: unknown capability: "CAP_FOO"`;
    assert.throws(() => resolve(['foo'], []), refused('CapAdd'));
    assert.throws(() => resolve([], ['foo']), refused('CapDrop'));
  });
});
