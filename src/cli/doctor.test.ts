import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineHost, findingsText, type HostProbe, thisHost } from './doctor.ts';

const good: HostProbe = {
  uid: () => 0,
  kernel: () => '6.1.0-18-amd64',
  file: (path) => (path.endsWith('ip_forward') ? '1\n' : 'cpuset cpu io memory pids\n'),
  exists: () => true,
  program: async (name) => `${name} 1.0`,
  tryOverlay: async () => undefined,
  freeBytes: () => 50e9,
};

test('a good host has nothing to complain of', async () => {
  const findings = await examineHost(good);
  assert.deepEqual(
    findings.filter((finding) => !finding.ok),
    [],
  );
  assert.doesNotMatch(findingsText(findings), /->/);
});
test('what is missing is named with its remedy', async () => {
  const findings = await examineHost({
    ...good,
    uid: () => 1000,
    kernel: () => '4.19.0',
    program: async (name) => {
      if (name === 'crun') throw new Error('spawn crun ENOENT');
      return name;
    },
    tryOverlay: async () => {
      throw new Error('mount: unknown filesystem type overlay');
    },
    freeBytes: () => 1e6,
  });
  const bad = new Map(findings.filter((finding) => !finding.ok).map((finding) => [finding.name, finding]));
  assert.deepEqual([...bad.keys()], ['user', 'kernel', 'overlayfs', 'crun', 'disk']);
  assert.equal(bad.get('crun')?.remedy, 'apt-get install crun');
  assert.equal(bad.get('disk')?.essential, false);
  assert.match(findingsText(findings), /^FAIL {2}crun +not installed -> apt-get install crun$/m);
});
test('this host is looked at without leaving anything mounted', async () => {
  const findings = await examineHost(thisHost);
  assert.ok(findings.some((finding) => finding.name === 'overlayfs'));
  assert.doesNotMatch(thisHost.file('/proc/self/mounts') ?? '', /berth-doctor-/);
});
