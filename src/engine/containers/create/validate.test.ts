import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { defaultHost, defaultRequest } from '#testkit';
import type { ContainerRequest, HostSettings } from '../container.ts';
import { checkName, checkRestartPolicy, validateRequest } from './validate.ts';

const limits = {
  cpus: 2,
  memoryNodes: [0],
  swap: true,
  blkioWeight: true,
  cgroupnsMode: 'private',
  leastOomScore: -1000,
  apparmor: false,
} as const;

describe('checkName', () => {
  test('refuses what Docker refuses, in its words', () => {
    for (const name of ['ab', 'a.b', 'A_1-x']) checkName(name);
    for (const name of ['a', '-ab', 'a/b', 'a b', '']) {
      assert.throws(() => checkName(name), {
        message: `Invalid container name (${name}), only [a-zA-Z0-9][a-zA-Z0-9_.-] are allowed`,
      });
    }
  });
});

const host = defaultHost;
const request: ContainerRequest = { ...defaultRequest([]), host };

describe('validateRequest', () => {
  const inHost = (changes: Partial<HostSettings>) => ({ ...request, host: { ...host, ...changes } });
  const inProcess = (changes: Partial<ContainerRequest['process']>) => ({
    ...request,
    process: { ...request.process, ...changes },
  });
  const port = { protocol: 'tcp', containerPort: 80, hostPort: 1 } as const;
  for (const [wanted, message] of [
    [inProcess({ env: ['=x'] }), 'invalid environment variable: =x'],
    [inProcess({ workingDir: 'rel' }), "the working directory 'rel' is invalid, it needs to be an absolute path"],
    [{ ...request, healthcheck: { Interval: 100 } }, 'Interval in Healthcheck cannot be less than 1ms'],
    [{ ...request, healthcheck: { Retries: -1 } }, 'Retries in Healthcheck cannot be negative'],
    [
      inHost({ autoRemove: true, restart: { name: 'always', maximumRetryCount: 0 } }),
      "can't create 'AutoRemove' container with restart policy",
    ],
    [inHost({ oomScoreAdj: 5000 }), 'Invalid value 5000, range for oom score adj is [-1000, 1000]'],
    [inHost({ shmSize: -1 }), 'SHM size can not be less than 0'],
    [inHost({ ipcMode: 'foo' }), 'invalid IPC mode: foo'],
    [inHost({ pidMode: 'private' }), 'invalid PID mode: private'],
    [inHost({ utsMode: 'foo' }), 'invalid UTS mode: foo'],
    [inHost({ cgroupnsMode: 'foo' }), 'invalid cgroup namespace mode: foo'],
    [inHost({ networkMode: 'container:' }), 'invalid network mode: invalid container format container:<name|id>'],
    [inHost({ capAdd: ['FOO'], privileged: true }), 'invalid CapAdd: unknown capability: "CAP_FOO"'],
    [inHost({ dns: ['foo'] }), 'bad nameserver address foo: ParseAddr("foo"): unable to parse IP'],
    [inHost({ tmpfs: { '/run': 'size=1m,ro', '/x': 'noexec,foo=bar' } }), 'invalid tmpfs option "foo"'],
    [inHost({ tmpfs: { '/': '' } }), "invalid specification: destination can't be '/'"],
    [
      { ...inHost({ networkMode: 'container:abc' }), hostname: 'x' },
      'conflicting options: hostname and the network mode',
    ],
    [
      inHost({ networkMode: 'container:abc', ports: [port] }),
      'conflicting options: port publishing and the container type network mode',
    ],
    [
      inHost({ networkMode: 'container:abc', extraHosts: ['a:1.1.1.1'] }),
      'conflicting options: custom host-to-IP mapping and the network mode',
    ],
  ] as const) {
    test(`refuses with "${message}"`, () => {
      assert.throws(() => validateRequest(wanted, limits), { kind: 'invalid', message });
    });
  }
});

describe('checkRestartPolicy', () => {
  test('refuses an unknown policy and a retry count without on-failure', () => {
    assert.throws(() => checkRestartPolicy({ name: 'foo' as 'no', maximumRetryCount: 0 }), /unknown policy 'foo'/);
    assert.throws(() => checkRestartPolicy({ name: 'always', maximumRetryCount: 1 }), /only be used with 'on-failure'/);
    assert.throws(() => checkRestartPolicy({ name: 'on-failure', maximumRetryCount: -3 }), /cannot be negative/);
    checkRestartPolicy({ name: 'on-failure', maximumRetryCount: 3 });
  });
});
