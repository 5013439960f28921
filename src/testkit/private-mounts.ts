import { spawnSync } from 'node:child_process';

const marker = 'BERTH_TEST_PRIVATE_MOUNTS';

/**
 * Runs the calling test file in a mount namespace of its own, as the daemon runs: what it mounts never shows on the
 * host, and a hybrid cgroup layout's unified hierarchy is unmounted, which crun needs. Call it first in a test file
 * that starts containers: outside such a namespace it runs the file again inside one and ends with its exit code.
 */
export function enterPrivateMounts(): void {
  if (process.env[marker] === '1') return;
  const script = 'test ! -e /sys/fs/cgroup/cgroup.procs && umount /sys/fs/cgroup/unified 2>/dev/null; exec "$@"';
  const args = ['--mount', '--propagation', 'slave', 'sh', '-c', script, 'sh', process.execPath, ...process.execArgv];
  const result = spawnSync('unshare', [...args, ...process.argv.slice(1)], {
    stdio: 'inherit',
    env: { ...process.env, [marker]: '1' },
  });
  process.exit(result.status ?? 1);
}
