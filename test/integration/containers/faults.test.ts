import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { appendFileSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Docker, daemonForTests, importBusybox, TestDaemon } from '#testkit';

// BERTH_STARTS=1000 and BERTH_CONTAINERS=300 make the long runs.
const starts = Number(process.env.BERTH_STARTS ?? 40);
const many = Number(process.env.BERTH_CONTAINERS ?? 30);

describe('when something breaks under a container', () => {
  const { daemon, docker } = daemonForTests();

  const state = (name: string) => docker.run('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', name);

  test('conmon killed: the container ends as killed, and can be started again', async () => {
    await docker.run('run', '-d', '--name', 'lonely', 'busybox', 'sleep', '300');
    const pid = await docker.run('inspect', '-f', '{{.State.Pid}}', 'lonely');
    const monitor = Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1]);
    assert.equal(readFileSync(`/proc/${monitor}/comm`, 'latin1').trim(), 'conmon');
    const ended = docker.run('wait', 'lonely');
    process.kill(monitor, 'SIGKILL');
    assert.equal(await ended, '137');
    assert.equal(await state('lonely'), 'exited 137');
    await docker.run('start', 'lonely');
    assert.equal(await docker.run('exec', 'lonely', 'echo', 'well'), 'well');
    await docker.run('rm', '-f', 'lonely');
  });

  test('a process killed before its program runs: the start fails, and the next one works', async () => {
    await docker.run('create', '--name', 'cut', '--runtime', 'crun', 'busybox', 'sleep', '300');
    // The first system call under this profile kills the process that the runtime makes.
    const config = ['--security-opt', 'seccomp={"defaultAction":"SCMP_ACT_KILL_PROCESS"}'];
    const { code, stderr } = await docker.try(['run', '--name', 'dead', ...config, 'busybox', 'true']);
    assert.notEqual(code, 0, stderr);
    await docker.run('start', 'cut');
    assert.equal(await state('cut'), 'running 0');
    await docker.run('rm', '-f', 'cut', 'dead');
  });

  test('the root file system deleted under it: it can be stopped and removed', async () => {
    const id = await docker.run('run', '-d', '--name', 'hollow', 'busybox', 'sleep', '300');
    const root = `/proc/${await docker.run('inspect', '-f', '{{.State.Pid}}', id)}/root`;
    for (const name of ['bin', 'etc', 'usr']) rmSync(join(root, name), { recursive: true, force: true });
    const { code, stderr } = await docker.try(['exec', 'hollow', 'ls']);
    assert.ok(code === 127 || code === 126, stderr);
    await docker.run('stop', '-t', '1', 'hollow');
    assert.match((await docker.try(['start', 'hollow'])).stderr, /no such file or directory|not found/);
    await docker.run('rm', 'hollow');
  });

  test('out of memory: the state says so', async () => {
    const hog = 'x=a; while true; do x=$x$x; done';
    const { code } = await docker.try(['run', '--name', 'hog', '-m', '10m', 'busybox', 'sh', '-c', hog]);
    assert.equal(code, 137);
    assert.equal(await docker.run('inspect', '-f', '{{.State.OOMKilled}}', 'hog'), 'true');
    await docker.run('rm', 'hog');
  });

  test(`${starts} rapid starts and stops leave nothing behind`, async () => {
    await docker.run('create', '--name', 'busy', 'busybox', 'sleep', '300');
    const before = openFiles();
    for (let round = 0; round < starts; round++) {
      await docker.run('start', 'busy');
      await docker.run('kill', 'busy');
    }
    assert.equal(await state('busy'), 'exited 137');
    await docker.run('rm', 'busy');
    assert.ok(openFiles() < before + 10, `${before} files open before, ${openFiles()} after`);
    assert.deepEqual(readdirSync(join(daemon.execRoot, 'tasks')), []);
  });

  test(`${many} containers run at once, are listed, measured and removed`, async () => {
    const names = Array.from({ length: many }, (_, index) => `one-${index}`);
    for (const name of names) await docker.run('run', '-d', '--name', name, 'busybox', 'sleep', '600');
    assert.equal((await docker.run('ps', '-q')).split('\n').length, many);
    assert.equal((await docker.run('stats', '--no-stream', '--format', '{{.PIDs}}')).split('\n').length, many);
    await docker.run('rm', '-f', ...names);
    assert.equal(await docker.run('ps', '-aq'), '');
  });

  function openFiles(): number {
    return readdirSync(`/proc/${daemon.pid}/fd`).length;
  }
});

describe('a full disk', () => {
  test('a container that fills it with its log ends or waits, and the daemon goes on', async () => {
    const daemon = await TestDaemon.start();
    const docker = new Docker(daemon.host);
    const containers = join(daemon.directory, 'data', 'containers');
    // The daemon's own mount namespace is where its data root is seen.
    const enter = ['--mount', `--target=${daemon.pid}`, '--'];
    try {
      importBusybox(daemon.socket);
      execFileSync('nsenter', [...enter, 'mount', '-t', 'tmpfs', '-o', 'size=2m', 'full', containers]);
      const options = ['--log-opt', 'max-size=100m'];
      await docker.run('run', '-d', '--name', 'loud', ...options, 'busybox', 'sh', '-c', 'seq 1 200000; sleep 300');
      await docker.run('exec', 'loud', 'true').catch(() => '');
      const { code } = await docker.try(['logs', '--tail', '1', 'loud']);
      assert.equal(code, 0);
      assert.equal((await docker.try(['ps'])).code, 0);
      await docker.run('rm', '-f', 'loud');
      assert.equal(await docker.run('ps', '-aq'), '');
    } finally {
      execFileSync('nsenter', [...enter, 'umount', '-l', containers]);
      await daemon[Symbol.asyncDispose]();
    }
  });

  test('with nothing left for the records a container can be stopped and removed, and its log makes room', async () => {
    const daemon = await TestDaemon.start();
    const docker = new Docker(daemon.host);
    const data = join(daemon.directory, 'data');
    const said = 'the disk of the data root is full';
    try {
      await daemon.stop();
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'full', data]);
      await daemon.start();
      importBusybox(daemon.socket);
      await docker.run('run', '--name', 'loud', 'busybox', 'seq', '1', '100000');
      await docker.run('run', '-d', '--name', 'quiet', 'busybox', 'sleep', '300');
      fill(join(data, 'ballast'));
      const { code, stderr } = await docker.try(['create', '--name', 'more', 'busybox', 'true']);
      assert.notEqual(code, 0);
      assert.ok(stderr.includes(said), stderr);
      await docker.run('stop', 'quiet');
      assert.equal(await docker.run('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'quiet'), 'exited 137');
      await docker.run('rm', 'loud');
      assert.equal(await docker.run('run', '--rm', 'busybox', 'echo', 'well'), 'well');
      await docker.run('rm', 'quiet');
    } finally {
      await daemon.stop();
      execFileSync('umount', ['-l', data]);
      await daemon[Symbol.asyncDispose]();
    }
  });
});

/** Writes until the file system has no room. */
function fill(path: string): void {
  for (const size of [1 << 20, 4096]) {
    try {
      for (;;) appendFileSync(path, Buffer.alloc(size));
    } catch (error) {
      assert.equal((error as NodeJS.ErrnoException).code, 'ENOSPC');
    }
  }
}
