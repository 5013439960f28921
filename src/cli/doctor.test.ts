import assert from 'node:assert/strict';
import { test } from 'node:test';
import { examineHost, findingsText, thisHost } from './doctor.ts';
import type { HostProbe } from './doctor-probe.ts';

const good: HostProbe = {
  uid: () => 0,
  kernel: () => '6.1.0-18-amd64',
  file: (path) => (path.endsWith('ip_forward') ? '1\n' : 'cpuset cpu io memory pids\n'),
  exists: () => true,
  program: async (name) => `${name} 1.0`,
  output: async () => '{"nftables":[]}',
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
test('what may drop forwarded packets is named with its remedy', async () => {
  const chain = (table: string, policy: string) => ({ family: 'ip', table, name: 'FORWARD', hook: 'forward', policy });
  const told = async (chains: readonly object[], legacy = '') => {
    const findings = await examineHost({
      ...good,
      file: (path) => (path === '/proc/net/ip_tables_names' && legacy !== '' ? 'filter\n' : good.file(path)),
      output: async (name) =>
        name === 'nft' ? JSON.stringify({ nftables: chains.map((chain) => ({ chain })) }) : `${legacy}\n`,
    });
    return findings.find((finding) => finding.name === 'forwarded packets');
  };
  const ours = { ...chain('berth_1', 'drop'), family: 'inet' };
  assert.equal((await told([ours, chain('mangle', 'accept')]))?.detail, 'nobody drops them');
  const dockerd = await told([chain('filter', 'drop')]);
  assert.equal(dockerd?.ok, true);
  assert.match(dockerd?.detail ?? '', /dropped by ip filter; berthd adds one rule there/);
  const firewalld = await told([{ ...chain('firewalld', 'accept'), family: 'inet' }]);
  assert.match(firewalld?.remedy ?? '', /firewall-cmd --permanent --zone=trusted/);
  assert.match((await told([], '-P FORWARD DROP'))?.remedy ?? '', /^iptables-legacy -P FORWARD ACCEPT/);
  assert.equal((await told([], '-P FORWARD ACCEPT'))?.ok, true);
});
test('this host is looked at without leaving anything mounted', async () => {
  const findings = await examineHost(thisHost);
  assert.ok(findings.some((finding) => finding.name === 'overlayfs'));
  assert.doesNotMatch(thisHost.file('/proc/self/mounts') ?? '', /berth-doctor-/);
});
