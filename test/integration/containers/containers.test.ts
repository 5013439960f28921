import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, test } from 'node:test';
import { daemonForTests, type TestDaemon } from '#testkit';

/** Runs a shell command with the docker CLI against `daemon`; resolves with stdout. */
const shell = (daemon: TestDaemon, command: string): string =>
  execFileSync('bash', ['-c', command], {
    env: { ...process.env, DOCKER_HOST: daemon.host },
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });

describe('containers through the docker CLI', () => {
  const { daemon, docker } = daemonForTests();

  test('an exec still knows what it was asked after a kill -9 of the daemon', async () => {
    await docker.run('run', '-d', '--name', 'keeper', 'busybox', 'sleep', '300');
    await docker.run('exec', '-d', '-e', 'A=b', 'keeper', 'sleep', '200');
    const id = JSON.parse(await docker.run('inspect', '-f', '{{json .ExecIDs}}', 'keeper'))[0] as string;
    await daemon.kill();
    await daemon.start();
    const answer = shell(daemon, `curl -s --unix-socket ${daemon.socket} http://d/exec/${id}/json`);
    const exec = JSON.parse(answer) as { Running: boolean; ProcessConfig: { entrypoint: string; arguments: string[] } };
    assert.equal(exec.Running, true);
    assert.deepEqual([exec.ProcessConfig.entrypoint, ...exec.ProcessConfig.arguments], ['sleep', '200']);
    // docker compose starts what it has attached to once more, and takes an error status for a failure.
    const again = `-H 'content-type: application/json' -d '{}' http://d/exec/${id}/start`;
    assert.match(shell(daemon, `curl -sf --unix-socket ${daemon.socket} ${again}`), /is already running\r\n$/);
    await docker.run('rm', '-f', 'keeper');
  });

  test('a stop lets the init of --init pass the signal on and the program end by itself', async () => {
    const script = 'trap "echo bye; exit 7" TERM; touch /up; while :; do sleep 0.1; done';
    await docker.run('run', '-d', '--init', '--name', 'polite', 'busybox', 'sh', '-c', script);
    await docker.run('exec', 'polite', 'sh', '-c', 'while [ ! -e /up ]; do sleep 0.05; done');
    await docker.run('stop', 'polite');
    assert.equal(await docker.run('inspect', '-f', '{{.State.ExitCode}}', 'polite'), '7');
    assert.match(await docker.run('logs', 'polite'), /bye/);
    await docker.run('rm', 'polite');
  });

  test('cp of a directory takes along what is mounted below it, running or stopped', async () => {
    const bind = join(daemon.directory, 'bind');
    const script = 'mkdir -p /vol/d; echo v > /vol/d/f; echo n > /vol/inner/g; echo b > /bind/f; sleep 300';
    const mounts = ['-v', 'outer:/vol', '-v', 'inner:/vol/inner', '-v', `${bind}:/bind`];
    await docker.run('run', '-d', '--name', 'mounted', ...mounts, 'busybox', 'sh', '-c', script);
    await docker.run('exec', 'mounted', 'sh', '-c', 'while [ ! -e /bind/f ]; do sleep 0.05; done');
    const wanted = ['/bind/', '/bind/f', '/vol/', '/vol/d/', '/vol/d/f', '/vol/inner/', '/vol/inner/g'];
    const list = () =>
      shell(daemon, "docker cp mounted:/ - | tar -Pt | grep -E '^/(vol|bind)' | sort").trim().split('\n');
    assert.deepEqual(list(), wanted);
    await docker.run('kill', 'mounted');
    assert.deepEqual(list(), wanted);
    await docker.run('rm', '-v', 'mounted');
    await docker.run('volume', 'rm', 'outer', 'inner');
  });

  test('images, volumes and networks announce what happens to them', async () => {
    const since = (Date.now() / 1000).toFixed(3);
    shell(
      daemon,
      'docker tag busybox named:1; docker rmi named:1; docker save busybox | docker load -q; tar -c -T /dev/null | ' +
        'docker import - made:1; docker rmi made:1; docker volume create vol; docker volume create vol; ' +
        'docker volume rm vol; docker network create net; docker network rm net; docker network prune -f',
    );
    const until = (Date.now() / 1000 + 0.1).toFixed(3);
    const events = await docker.run('events', '--since', since, '--until', until, '--format', '{{.Type}} {{.Action}}');
    assert.deepEqual(
      events.split('\n').filter((line) => !line.startsWith('container')),
      [
        ...['image tag', 'image untag', 'image save', 'image load', 'image tag', 'image import', 'image untag'],
        ...['image delete', 'volume create', 'volume destroy', 'network create', 'network destroy', 'network prune'],
      ],
    );
  });

  test('an IPC namespace is joined only when its owner shares it', async () => {
    await docker.run(
      'run',
      '-d',
      '--name',
      'donor',
      '--ipc',
      'shareable',
      'busybox',
      'sh',
      '-c',
      'echo hi > /dev/shm/f; sleep 300',
    );
    await docker.run('exec', 'donor', 'sh', '-c', 'while [ ! -s /dev/shm/f ]; do sleep 0.05; done');
    await docker.run('run', '-d', '--name', 'joiner', '--ipc', 'container:donor', 'busybox', 'sleep', '300');
    // Sharing goes on through a sharer.
    assert.equal(await docker.run('run', '--rm', '--ipc', 'container:joiner', 'busybox', 'cat', '/dev/shm/f'), 'hi');
    await docker.run('run', '-d', '--name', 'miser', 'busybox', 'sleep', '300');
    const { code, stderr } = await docker.try(['run', '--rm', '--ipc', 'container:miser', 'busybox', 'true']);
    assert.match(stderr, /non-shareable IPC/);
    assert.equal(code, 125);
    await docker.run('rm', '-f', 'donor', 'joiner', 'miser');
  });

  test('a log is rotated by size, the newest files are kept, and logs reads through all of them', async () => {
    const options = ['--log-opt', 'max-size=200k', '--log-opt', 'max-file=3'];
    const script = 'for i in $(seq 1 6); do seq 1 4000; sleep 0.4; done; echo end';
    await docker.run('run', '--name', 'talker', ...options, 'busybox', 'sh', '-c', script);
    const path = await docker.run('inspect', '-f', '{{.LogPath}}', 'talker');
    const files = readdirSync(dirname(path)).filter((name) => name.startsWith('container.log'));
    assert.ok(files.length > 1 && files.length <= 3, files.join());
    const bytes = files.reduce((sum, name) => sum + statSync(join(dirname(path), name)).size, 0);
    assert.ok(bytes < 1_000_000, `${bytes} bytes`);
    const lines = (await docker.run('logs', 'talker')).split('\n');
    assert.equal(lines.at(-1), 'end');
    assert.ok(lines.length > 4000);
    await docker.run('rm', 'talker');
  });

  test('stats shows the memory of the machine where no limit is set, and the limit where one is', async () => {
    await docker.run('run', '-d', '--name', 'free', 'busybox', 'sleep', '300');
    await docker.run('run', '-d', '--name', 'bound', '-m', '64m', 'busybox', 'sleep', '300');
    const total = Number(/MemTotal:\s+(\d+)/.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1]) * 1024;
    const limitOf = (name: string) => {
      const url = `http://d/containers/${name}/stats?stream=0&one-shot=1`;
      const answer = JSON.parse(shell(daemon, `curl -s --unix-socket ${daemon.socket} '${url}'`));
      return (answer as { memory_stats: { limit: number } }).memory_stats.limit;
    };
    assert.equal(limitOf('free'), total);
    assert.equal(limitOf('bound'), 64 << 20);
    await docker.run('rm', '-f', 'free', 'bound');
  });

  test('crun leaves no directory at the place of an unmounted cgroup2 hierarchy', async () => {
    const id = await docker.run('run', '-d', 'busybox', 'sleep', '300');
    await docker.run('rm', '-f', id);
    const namespace = `nsenter --mount=/proc/${daemon.pid}/ns/mnt`;
    const found = `${namespace} find /sys/fs/cgroup -maxdepth 3 -name ${id} | grep . || true`;
    // Clean-up goes on after the answer.
    shell(daemon, `for i in $(seq 50); do [ -z "$(${found})" ] && exit 0; sleep 0.1; done; ${found}; exit 1`);
  });

  test('1000 MB through run -i cat come back the same', () => {
    const command = 'head -c 1000M /dev/urandom | tee >(md5sum >&2) | docker run --rm -i busybox cat | md5sum';
    const { sent, received } = JSON.parse(
      shell(
        daemon,
        `exec 3>&1; r=$({ ${command}; } 2>/tmp/$$.sent); echo "{\\"sent\\":\\"$(cat /tmp/$$.sent)\\",\\"received\\":\\"$r\\"}"; rm /tmp/$$.sent`,
      ),
    ) as { sent: string; received: string };
    assert.equal(received, sent);
  });
});
