import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { daemonForTests } from '#testkit';

const count = 10;
// Prints 1, 2, 3 ... until it is told to stop, and then leaves with a code of its own.
const counter = 'trap "exit 42" TERM; i=0; while true; do i=$((i+1)); echo $i; sleep 0.01; done';

describe('kill -9 of the daemon while ten containers run and log', () => {
  const { daemon, docker } = daemonForTests();
  const names = Array.from({ length: count }, (_, index) => `survivor-${index}`);
  const pids = new Map<string, string>();

  before(async () => {
    for (const name of names) await docker.run('run', '-d', '--name', name, 'busybox', 'sh', '-c', counter);
    await docker.run(
      'run',
      '-d',
      '--name',
      'short',
      'busybox',
      'sh',
      '-c',
      'while [ ! -e /end ]; do sleep 0.05; done; exit 9',
    );
    for (const name of names) pids.set(name, await docker.run('inspect', '-f', '{{.State.Pid}}', name));
  });

  test('a container that ends while no daemon runs has its exit code after the restart', async () => {
    const pid = await docker.run('inspect', '-f', '{{.State.Pid}}', 'short');
    await daemon.kill();
    const { closeSync, openSync } = await import('node:fs');
    closeSync(openSync(`/proc/${pid}/root/end`, 'w'));
    await daemon.start();
    assert.equal(await docker.run('wait', 'short'), '9');
    assert.equal(await docker.run('inspect', '-f', '{{.State.Status}} {{.State.ExitCode}}', 'short'), 'exited 9');
  });

  test('all of them go on with the same pid', async () => {
    for (const name of names) {
      const now = await docker.run('inspect', '-f', '{{.State.Pid}} {{.State.Status}}', name);
      assert.equal(now, `${pids.get(name)} running`);
    }
  });

  test('exec works on them', async () => {
    for (const name of names) assert.equal(await docker.run('exec', name, 'echo', 'alive'), 'alive');
  });

  test('a command in one of them goes on when its client is cut off, however much it prints', async () => {
    const command = 'i=0; while [ $i -lt 30000 ]; do i=$((i+1)); echo "line $i"; done; echo done > /result';
    const cut = docker.try([
      'exec',
      'survivor-0',
      'sh',
      '-c',
      `until [ -p /proceed ]; do sleep 0.02; done; echo on > /begun; read x < /proceed; ${command}`,
    ]);
    await docker.run('exec', 'survivor-0', 'sh', '-c', 'mkfifo /proceed; until [ -e /begun ]; do sleep 0.02; done');
    await daemon.kill();
    await cut;
    await daemon.start();
    const wait = 'echo go > /proceed; until [ -e /result ]; do sleep 0.02; done; cat /result';
    assert.equal(await docker.run('exec', 'survivor-0', 'sh', '-c', wait), 'done');
  });

  test('logs -f follows them', async () => {
    const abort = new AbortController();
    const following = docker.try(['logs', '-f', '--tail', '1', 'survivor-0'], { signal: abort.signal });
    // Something must be said after the restart; the next lines of the container are enough.
    await docker.run('exec', 'survivor-0', 'sleep', '0.3');
    abort.abort();
    const { stdout } = await following;
    assert.ok(stdout.trim().split('\n').length > 1, stdout);
  });

  test('stop works on them, their exit codes are right and no line of output is lost', async () => {
    await docker.run('stop', '-t', '5', ...names);
    for (const name of names) {
      assert.equal(await docker.run('inspect', '-f', '{{.State.ExitCode}}', name), '42');
      const lines = (await docker.run('logs', name)).split('\n').map(Number);
      assert.deepEqual(
        lines,
        lines.map((_, index) => index + 1),
        `${name} misses lines`,
      );
    }
  });
});
