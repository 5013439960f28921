import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { daemonForTests } from '#testkit';

const main = fileURLToPath(new URL('../../../bin/daemon.cjs', import.meta.url));
// The daemon sees nothing but a v2 hierarchy. On a host with v1 that one has no controllers to speak of, so there are
// no limits and no memory counters; all else is as on a host of its kind.
const intoV2 =
  'mount --make-rslave / && umount -R /sys/fs/cgroup && mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"';

function whyNot(): string | false {
  if (!/\tcgroup2$/m.test(readFileSync('/proc/filesystems', 'latin1'))) return 'the kernel has no cgroup v2';
  try {
    // crun would have to raise a limit for its device filter, which not every root may.
    execFileSync('runc', ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'runc is not installed';
  }
}

describe('on cgroup v2', { skip: whyNot() }, () => {
  const launch = ['unshare', '--mount', 'sh', '-c', intoV2, 'v2', process.execPath, main];
  const { daemon, docker } = daemonForTests(['--default-runtime', 'runc'], launch);

  test('the engine knows, and gives containers a cgroup namespace of their own', async () => {
    assert.equal(await docker.run('info', '-f', '{{.CgroupVersion}}'), '2');
    assert.equal(await docker.run('run', '--rm', 'busybox', 'sh', '-c', 'grep ^0: /proc/self/cgroup'), '0::/');
    assert.equal(await docker.run('run', '--rm', 'busybox', 'cat', '/sys/fs/cgroup/cgroup.type'), 'domain');
  });

  test('a container runs, is measured, frozen, thawed, entered, and removed while frozen', async () => {
    const busy = 'while :; do :; done';
    await docker.run('run', '-d', '--name', 'busy', 'busybox', 'sh', '-c', busy);
    const sample = await docker.run('stats', '--no-stream', '--format', '{{.CPUPerc}}', 'busy');
    assert.ok(Number.parseFloat(sample) > 0, sample);
    await docker.run('pause', 'busy');
    assert.match(await docker.run('ps', '--format', '{{.Status}}'), /Paused/);
    const pid = await docker.run('inspect', '-f', '{{.State.Pid}}', 'busy');
    assert.match(inCgroup(pid, 'cgroup.events'), /^frozen 1$/m);
    await docker.run('unpause', 'busy');
    assert.match(inCgroup(pid, 'cgroup.events'), /^frozen 0$/m);
    assert.equal(await docker.run('exec', 'busy', 'echo', 'inside'), 'inside');
    assert.match(await docker.run('top', 'busy'), /while/);
    await docker.run('pause', 'busy');
    await docker.run('rm', '-f', 'busy');
    assert.equal(await docker.run('ps', '-aq'), '');
  });

  /** A file of the cgroup of `pid`, as the daemon sees the hierarchy. */
  function inCgroup(pid: string, file: string): string {
    const path = /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, 'latin1'))?.[1];
    return readFileSync(`/proc/${daemon.pid}/root/sys/fs/cgroup${path}/${file}`, 'latin1');
  }
});
